import { defineTable } from './table.ts';

export const incidentParticipants = defineTable({
  name: 'incident_participants',
  description: 'One row is a user who took part in an incident, actively or by watching.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v2/incident_participants',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  lists: { names: ['active', 'passive'], column: 'list' },
  records: 'incident_participants',
  scope: 'incidents.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['incident_id', 'user_id'],
  columns: {
    incident_id: { type: 'text', description: 'Joins incidents.id.' },
    list: { type: 'text', description: 'The list the user is in: active or passive.' },
    participant_type: {
      type: 'text',
      required: true,
      description: 'What the user did: observer, collaborator or responder.',
    },
    user: {
      type: 'json',
      required: true,
      description: 'The user, as they were when the row was read.',
      personal: true,
    },
    user_id: { type: 'text', description: 'Joins users.id.', from: ['user', 'id'] },
  },
});
