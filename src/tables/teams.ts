import { defineTable } from './table.ts';

export const teams = defineTable({
  name: 'teams',
  description: 'One row is a team of the account.',
  group: 'People',
  path: '/v3/teams',
  records: 'teams',
  scope: 'catalog_entries.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the team.' },
    catalog_entry: {
      type: 'json',
      required: true,
      description: 'The catalog entry that represents the team.',
    },
    catalog_entry_id: {
      type: 'text',
      description: 'Joins catalog_entries.id.',
      from: ['catalog_entry', 'id'],
    },
    members: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the members of the team.',
      personal: true,
    },
    name: { type: 'text', required: true, description: 'Name of the team.' },
  },
});
