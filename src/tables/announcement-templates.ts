import { defineTable } from './table.ts';

export const announcementTemplates = defineTable({
  name: 'announcement_templates',
  description: 'One row is a template of the posts that announce incidents.',
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v2/announcement_templates',
  records: 'announcement_templates',
  scope: 'announcement_templates.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the announcement template.' },
    actions: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the actions shown on a post.',
    },
    fields: { type: 'json', list: true, required: true, description: 'List of the fields shown on a post.' },
    is_default: {
      type: 'boolean',
      required: true,
      description: 'Whether rules without a template use this one.',
    },
    name: { type: 'text', required: true, description: 'Name of the template.' },
    owning_team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the teams that own the template.',
    },
  },
});
