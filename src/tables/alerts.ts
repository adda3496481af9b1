import { defineTable } from './table.ts';

export const alerts = defineTable({
  name: 'alerts',
  description: 'One row is an alert that a source sent, including alerts held back by a maintenance window.',
  group: 'Alerts',
  path: '/v2/alerts',
  records: 'alerts',
  scope: 'alerts.view',
  paging: { kind: 'pages', pageSize: 50 },
  filters: {
    updated_at: { granularity: 'millisecond', verified: true },
    created_at: { granularity: 'millisecond', verified: false },
  },
  // Not created_at: a sync by it never sees an alert resolve.
  // Alerts are by far the most rows and are never deleted one by one, so a daily full read would gain little.
  incremental: { by: ['updated_at'], fullReadEvery: '7d' },
  splitBy: 'created_at',
  events: [
    'public_alert.alert_created',
    'public_alert.alert_resolved',
    'private_alert.alert_created',
    'private_alert.alert_resolved',
  ],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the alert.' },
    alert_source_id: {
      type: 'text',
      required: true,
      description: 'Joins alert_sources.id: the source that sent it.',
    },
    deduplication_key: {
      type: 'text',
      required: true,
      description:
        'Key that identifies the alert within its source: events with the same key belong to one alert.',
    },
    title: { type: 'text', required: true, description: 'Title, parsed from the payload.', personal: true },
    description: { type: 'text', description: 'Description, parsed from the payload.', personal: true },
    status: { type: 'text', required: true, description: 'Status: firing or resolved.' },
    attributes: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of attributes with their values, parsed from the payload.',
      personal: true,
    },
    tags: { type: 'json', list: true, description: 'List of tags, each with id and name.' },
    alert_group_ids: { type: 'json', list: true, description: 'Ids of the alert groups it belongs to.' },
    source_url: { type: 'text', description: 'Link to the alert in the system it came from.' },
    resolved_at: { type: 'timestamp', description: 'When the alert was resolved.' },
    created_at: { type: 'timestamp', required: true, description: 'When the alert was created.' },
    updated_at: {
      type: 'timestamp',
      required: true,
      description: 'When the alert was last written, which can happen without a visible change.',
    },
  },
});
