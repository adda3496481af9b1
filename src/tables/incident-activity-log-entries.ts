import { defineTable } from './table.ts';

export const incidentActivityLogEntries = defineTable({
  name: 'incident_activity_log_entries',
  description: 'One row is something that happened in an incident, as incident.io recorded it.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v2/incident_activity_log_entries',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { root_incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  records: 'incident_activity_log_entries',
  scope: 'incidents.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the entry.' },
    content: { type: 'json', description: 'Details, under one key that matches the type.', personal: true },
    incident_id: {
      type: 'text',
      required: true,
      description: 'Id of the incident or stream it happened on.',
    },
    occurred_at: { type: 'timestamp', required: true, description: 'When it happened.' },
    root_incident_id: { type: 'text', description: 'Joins incidents.id: the incident whose log was read.' },
    title: {
      type: 'text',
      required: true,
      description: 'What happened, in words that incident.io may change.',
      personal: true,
    },
    type: {
      type: 'text',
      required: true,
      description: 'Kind of the entry, such as role_update or status_change.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When it was recorded.' },
  },
});
