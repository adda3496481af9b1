import { defineTable } from './table.ts';

export const scheduleOverrides = defineTable({
  name: 'schedule_overrides',
  description:
    'One row is an override, which puts someone else on call; archived ones are not listed by the API.',
  group: 'On-call',
  path: '/v2/schedule_overrides',
  parent: {
    table: 'schedules',
    params: [{ name: 'schedule_id', in: 'query', column: 'id' }],
    columns: { schedule_id: 'id' },
  },
  records: 'overrides',
  scope: 'schedules.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  events: ['schedule.created', 'schedule.updated', 'schedule.deleted'],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the override.' },
    end_at: { type: 'timestamp', required: true, description: 'When the override ends.' },
    layer_id: { type: 'text', required: true, description: 'Id of the layer it overrides.' },
    rotation_id: { type: 'text', required: true, description: 'Id of the rotation it overrides.' },
    schedule_id: { type: 'text', required: true, description: 'Joins schedules.id.' },
    start_at: { type: 'timestamp', required: true, description: 'When the override starts.' },
    user: { type: 'json', description: 'The user who is on call instead.', personal: true },
    user_id: { type: 'text', description: 'Joins users.id.', from: ['user', 'id'] },
    created_at: { type: 'timestamp', required: true, description: 'When the override was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the override last changed.' },
  },
});
