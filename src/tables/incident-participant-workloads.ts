import { defineTable } from './table.ts';

export const incidentParticipantWorkloads = defineTable({
  name: 'incident_participant_workloads',
  description: 'One row is the time that a user spent on an incident; the figures come with a delay.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v2/incident_participant_workloads',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  fromAnswer: { data_synced_at: ['metadata', 'data_synced_at'] },
  records: 'incident_participant_workloads',
  scope: 'incident_workloads.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['incident_id', 'user_id'],
  columns: {
    archived_at: { type: 'timestamp', description: 'When the user left the incident.' },
    data_synced_at: { type: 'timestamp', description: 'The time up to which the figures are complete.' },
    incident_id: { type: 'text', description: 'Joins incidents.id.' },
    participant_type: {
      type: 'text',
      description: 'What the user did: observer, collaborator or responder.',
    },
    user: {
      type: 'json',
      required: true,
      description: 'The user, as they were when the row was read.',
      personal: true,
    },
    user_id: { type: 'text', description: 'Joins users.id.', from: ['user', 'id'] },
    workload: { type: 'json', required: true, description: 'The minutes spent, by time of day.' },
  },
});
