import { defineTable } from './table.ts';

export const incidentAttachments = defineTable({
  name: 'incident_attachments',
  description: 'One row is a link from an incident to something outside, such as a pull request.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v1/incident_attachments',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  records: 'incident_attachments',
  scope: 'attachments.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the attachment.' },
    incident_id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    resource: {
      type: 'json',
      required: true,
      description: 'What is attached: its kind, title, link and external id.',
      personal: true,
    },
  },
});
