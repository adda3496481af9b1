import { defineTable } from './table.ts';

export const incidentTimelineItems = defineTable({
  name: 'incident_timeline_items',
  description: 'One row is an item of the timeline of an incident, as people curated it.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v2/incident_timeline_items',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { root_incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  records: 'incident_timeline_items',
  scope: 'incidents.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the item.' },
    activity_log_id: {
      type: 'text',
      description: 'Joins incident_activity_log_entries.id; empty for an item written by hand.',
    },
    creator: { type: 'json', required: true, description: 'Who added the item.', personal: true },
    creator_user_id: { type: 'text', description: 'Joins users.id.', from: ['creator', 'user', 'id'] },
    description: { type: 'text', description: 'What happened, in Markdown.', personal: true },
    incident_id: {
      type: 'text',
      required: true,
      description: 'Id of the incident or stream the item belongs to.',
    },
    root_incident_id: {
      type: 'text',
      description: 'Joins incidents.id: the incident whose timeline was read.',
    },
    timestamp: { type: 'timestamp', required: true, description: 'When it happened.' },
    title: { type: 'text', required: true, description: 'What happened, in short.', personal: true },
    created_at: { type: 'timestamp', required: true, description: 'When the item was added.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the item was last edited.' },
  },
});
