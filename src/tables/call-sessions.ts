import { defineTable } from './table.ts';

export const callSessions = defineTable({
  name: 'call_sessions',
  description: 'One row is a call held for an incident.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v2/call_sessions',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  records: 'call_sessions',
  scope: 'call_transcripts.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the call session.' },
    ended_at: { type: 'timestamp', description: 'When the call ended; empty while it lasts.' },
    incident_id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    started_at: { type: 'timestamp', required: true, description: 'When the call started.' },
  },
});
