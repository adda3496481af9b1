import { defineTable } from './table.ts';

export const statusPageMaintenances = defineTable({
  name: 'status_page_maintenances',
  description: 'One row is a maintenance as a status page shows it.',
  group: 'Status pages',
  path: '/v2/status_page_maintenances',
  parent: {
    table: 'status_pages',
    params: [{ name: 'status_page_id', in: 'query', column: 'id' }],
    columns: { status_page_id: 'id' },
  },
  records: 'status_page_maintenances',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the status page maintenance.' },
    automate_maintenance_status: {
      type: 'boolean',
      required: true,
      description: 'Whether updates are published automatically at the start and the end.',
    },
    component_maintenance_periods: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the times in which a component was under maintenance.',
    },
    maintenance_status: {
      type: 'text',
      required: true,
      description: 'Status: maintenance_scheduled, maintenance_in_progress or maintenance_complete.',
    },
    name: { type: 'text', required: true, description: 'Title of the maintenance on the page.' },
    published_at: { type: 'timestamp', required: true, description: 'When it was published.' },
    status_page_id: { type: 'text', required: true, description: 'Joins status_pages.id.' },
    updates: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the updates posted to the page.',
      personal: true,
    },
  },
});
