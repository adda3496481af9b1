import { everyIncidentMode } from './incident-modes.ts';
import { defineTable } from './table.ts';

export const followUps = defineTable({
  name: 'follow_ups',
  description: 'One row is a follow-up of an incident of any mode.',
  group: 'Incidents',
  path: '/v3/follow_ups',
  records: 'follow_ups',
  scope: 'actions.view',
  paging: { kind: 'pages', pageSize: 250 },
  // Without it the API leaves out follow-ups of test, tutorial and stream incidents.
  passes: everyIncidentMode,
  filters: {
    updated_at: { granularity: 'millisecond', verified: true },
    created_at: { granularity: 'millisecond', verified: false },
  },
  // A renamed assignee or a new status of the external issue does not move updated_at: only a full read sees it.
  incremental: { by: ['updated_at'], fullReadEvery: '24h' },
  events: [
    'public_incident.follow_up_created',
    'public_incident.follow_up_updated',
    'private_incident.follow_up_created',
    'private_incident.follow_up_updated',
  ],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the follow-up.' },
    incident_id: {
      type: 'text',
      required: true,
      description: 'Joins incidents.id; incidents of mode stream are not in that table.',
    },
    incident_mode: {
      type: 'text',
      description: 'Mode of its incident: standard, retrospective, test, tutorial or stream.',
    },
    title: { type: 'text', required: true, description: 'Title of the follow-up.', personal: true },
    description: { type: 'text', description: 'What needs to be done.', personal: true },
    status: {
      type: 'text',
      required: true,
      description: 'Status: outstanding, completed, deleted or not_doing.',
    },
    labels: { type: 'json', list: true, required: true, description: 'List of labels.' },
    priority_id: { type: 'text', description: 'Id of the priority.', from: ['priority', 'id'] },
    priority: { type: 'json', description: 'The priority: id, name, description and rank.' },
    category_id: { type: 'text', description: 'Id of the category.', from: ['category', 'id'] },
    category: { type: 'json', description: 'The category: id, name, description and rank.' },
    assignee_id: { type: 'text', description: 'Joins users.id.', from: ['assignee', 'id'] },
    assignee: { type: 'json', description: 'The user it is assigned to.', personal: true },
    assignee_team_id: {
      type: 'text',
      description: 'Joins teams.id: the team it is assigned to.',
      from: ['assignee_team', 'id'],
    },
    assignee_team: { type: 'json', description: 'The team it is assigned to: id and name.' },
    creator_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if no user created it.',
      from: ['creator', 'user', 'id'],
    },
    creator: {
      type: 'json',
      required: true,
      description: 'Who or what created it: one of user, api_key, alert or workflow.',
      personal: true,
    },
    external_issue_reference: {
      type: 'json',
      description: 'The issue in an external tracker: provider, name and link.',
    },
    completed_at: { type: 'timestamp', description: 'When the follow-up was completed.' },
    created_at: { type: 'timestamp', required: true, description: 'When the follow-up was created.' },
    updated_at: {
      type: 'timestamp',
      required: true,
      description: 'When the follow-up itself last changed; a change inside a nested object does not count.',
    },
  },
});
