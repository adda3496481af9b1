import { defineTable } from './table.ts';

export const statusPages = defineTable({
  name: 'status_pages',
  description: 'One row is a status page of the account.',
  group: 'Status pages',
  path: '/v2/status_pages',
  records: 'status_pages',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the status page.' },
    description: { type: 'text', description: 'Description of the status page.' },
    name: { type: 'text', required: true, description: 'Title of the status page.' },
    public_url: { type: 'text', description: 'Public address of the status page.' },
  },
});
