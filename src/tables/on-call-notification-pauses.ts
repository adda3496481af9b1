import { defineTable } from './table.ts';

export const onCallNotificationPauses = defineTable({
  name: 'on_call_notification_pauses',
  description:
    'One row is a time in which a user gets no on-call notifications; cancelled ones are not listed by the API.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/on_call_notification_pauses',
  records: 'on_call_notification_pauses',
  scope: 'notification_pauses.view',
  paging: { kind: 'pages', pageSize: 250 },
  // Without it the API leaves out pauses that have ended.
  reveals: [{ param: 'from', values: ['2020-01-01T00:00:00Z'] }],
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the pause.' },
    ends_at: { type: 'timestamp', required: true, description: 'When notifications resume.' },
    reason: { type: 'text', description: 'Why they are paused, in people’s own words.', personal: true },
    starts_at: { type: 'timestamp', required: true, description: 'When notifications stop.' },
    user_id: { type: 'text', required: true, description: 'Joins users.id.', personal: true },
    created_at: { type: 'timestamp', required: true, description: 'When the pause was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the pause last changed.' },
  },
});
