import { defineTable } from './table.ts';

export const statusPageIncidents = defineTable({
  name: 'status_page_incidents',
  description: 'One row is an incident as a status page shows it.',
  group: 'Status pages',
  path: '/v2/status_page_incidents',
  parent: {
    table: 'status_pages',
    params: [{ name: 'status_page_id', in: 'query', column: 'id' }],
    columns: { status_page_id: 'id' },
  },
  records: 'status_page_incidents',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  events: ['status_page_incident.update_shared'],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the status page incident.' },
    component_impacts: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the times in which a component was affected.',
    },
    incident_status: {
      type: 'text',
      required: true,
      description: 'Status: investigating, identified, monitoring or resolved.',
    },
    name: { type: 'text', required: true, description: 'Title of the incident on the page.' },
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
