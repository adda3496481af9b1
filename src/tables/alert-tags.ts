import { defineTable } from './table.ts';

export const alertTags = defineTable({
  name: 'alert_tags',
  description: 'One row is a tag that can be put on alerts; archived tags are not listed by the API.',
  group: 'Alerts',
  path: '/v2/alert_tags',
  records: 'alert_tags',
  scope: 'alerts.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the tag.' },
    name: { type: 'text', required: true, description: 'Name of the tag.' },
  },
});
