import { everyIncidentMode } from './incident-modes.ts';
import { defineTable } from './table.ts';

export const actions = defineTable({
  name: 'actions',
  description: 'One row is an action of an incident, in every incident mode.',
  group: 'Incidents',
  path: '/v3/actions',
  records: 'actions',
  scope: 'actions.view',
  paging: { kind: 'pages', pageSize: 250 },
  // Without it the API leaves out actions of test, tutorial and stream incidents.
  passes: everyIncidentMode,
  filters: {
    updated_at: { granularity: 'millisecond', verified: true },
    created_at: { granularity: 'millisecond', verified: false },
  },
  // A renamed assignee does not move updated_at: only a full read sees it.
  incremental: { by: ['updated_at'], fullReadEvery: '24h' },
  events: [
    'public_incident.action_created',
    'public_incident.action_updated',
    'private_incident.action_created',
    'private_incident.action_updated',
  ],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the action.' },
    assignee: { type: 'json', description: 'The user who has to do it.', personal: true },
    assignee_id: { type: 'text', description: 'Joins users.id.', from: ['assignee', 'id'] },
    completed_at: { type: 'timestamp', description: 'When the action was completed.' },
    creator: {
      type: 'json',
      required: true,
      description: 'Who created it: one of user, api_key, alert and workflow.',
      personal: true,
    },
    creator_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if no user created the action.',
      from: ['creator', 'user', 'id'],
    },
    description: { type: 'text', required: true, description: 'What is to be done.', personal: true },
    incident_id: {
      type: 'text',
      required: true,
      description: 'Joins incidents.id; the incident of a stream is not in that table.',
    },
    incident_mode: {
      type: 'text',
      description: 'Mode of its incident: standard, retrospective, test, tutorial or stream.',
    },
    status: {
      type: 'text',
      required: true,
      description: 'Status: outstanding, completed, deleted or not_doing.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the action was created.' },
    updated_at: {
      type: 'timestamp',
      required: true,
      description: 'When the action itself last changed; the nested objects change without it.',
    },
  },
});
