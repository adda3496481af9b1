import { defineTable } from './table.ts';

export const escalations = defineTable({
  name: 'escalations',
  description: 'One row is an escalation that paged people, with the history of who was reached.',
  group: 'On-call',
  path: '/v2/escalations',
  records: 'escalations',
  scope: 'escalations.view',
  paging: { kind: 'pages', pageSize: 50 },
  filters: {
    updated_at: { granularity: 'day', verified: true },
    created_at: { granularity: 'day', verified: false },
  },
  incremental: { by: ['updated_at'], fullReadEvery: '24h' },
  splitBy: 'created_at',
  events: [
    'public_escalation.escalation_created',
    'public_escalation.escalation_status_updated',
    'private_escalation.escalation_created',
    'private_escalation.escalation_status_updated',
  ],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the escalation.' },
    title: { type: 'text', required: true, description: 'Title of the escalation.', personal: true },
    description: {
      type: 'text',
      required: true,
      description:
        'Details given when it was created, or taken from the alert or the incident; may be empty.',
      personal: true,
    },
    status: {
      type: 'text',
      required: true,
      description:
        'Status: pending, triggered, acked, resolved, expired, cancelled, snoozed, delayed or pending_repeat.',
    },
    // The priority has no id to join by.
    priority_name: { type: 'text', description: 'Name of the priority.', from: ['priority', 'name'] },
    priority: { type: 'json', required: true, description: 'The priority.' },
    escalation_path_id: {
      type: 'text',
      description: 'Joins escalation_paths.id: the path it was created from.',
    },
    creator_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if no user created it.',
      from: ['creator', 'user', 'id'],
    },
    creator_alert_id: {
      type: 'text',
      description: 'Joins alerts.id; empty if no alert created it.',
      from: ['creator', 'alert', 'id'],
    },
    creator: {
      type: 'json',
      required: true,
      description: 'Who or what created it: one of user, alert or workflow; none of these for a call route.',
      personal: true,
    },
    events: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of events in order: who was notified, who acknowledged, and when.',
      personal: true,
    },
    related_incidents: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of incidents it belongs to.',
      personal: true,
    },
    related_alerts: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of alerts it belongs to.',
      personal: true,
    },
    created_at: { type: 'timestamp', required: true, description: 'When the escalation was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the escalation last changed.' },
  },
});
