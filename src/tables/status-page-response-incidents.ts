import { defineTable } from './table.ts';

export const statusPageResponseIncidents = defineTable({
  name: 'status_page_response_incidents',
  description: 'One row links a status page incident to an incident.',
  group: 'Status pages',
  selectedBy: 'all',
  path: '/v1/status-pages/{id}/incidents/{incident_id}/response-incidents',
  parent: {
    table: 'status_page_incidents',
    params: [
      { name: 'id', in: 'path', column: 'status_page_id' },
      { name: 'incident_id', in: 'path', column: 'id' },
    ],
    columns: { status_page_id: 'status_page_id', status_page_incident_id: 'id' },
  },
  records: 'incidents',
  // No scope: any key may read it.
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['status_page_id', 'status_page_incident_id', 'id'],
  columns: {
    id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    linked_at: { type: 'timestamp', required: true, description: 'When they were linked.' },
    status_page_id: { type: 'text', description: 'Joins status_pages.id.' },
    status_page_incident_id: { type: 'text', description: 'Joins status_page_incidents.id.' },
  },
});
