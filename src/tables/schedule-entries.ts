import { defineTable } from './table.ts';

export const scheduleEntries = defineTable({
  name: 'schedule_entries',
  description: 'One row is a shift of a schedule, as planned, as overridden, or as finally in force.',
  group: 'On-call',
  path: '/v2/schedule_entries',
  parent: {
    table: 'schedules',
    params: [{ name: 'schedule_id', in: 'query', column: 'id' }],
    columns: { schedule_id: 'id' },
  },
  lists: { names: ['final', 'overrides', 'scheduled'], column: 'list' },
  timeWindow: {
    from: 'entry_window_start',
    to: 'entry_window_end',
    daysBack: 7,
    daysAhead: 30,
    firstDaysBack: 365,
    columns: { start: 'start_at', end: 'end_at' },
  },
  records: 'schedule_entries',
  scope: 'schedules.view',
  paging: { kind: 'single' },
  every: '24h',
  events: ['schedule.created', 'schedule.updated', 'schedule.deleted'],
  primaryKey: ['schedule_id', 'list', 'fingerprint'],
  columns: {
    end_at: { type: 'timestamp', required: true, description: 'When the shift ends.' },
    entry_id: { type: 'text', description: 'Id of the shift, if the API gives one.' },
    fingerprint: {
      type: 'text',
      description: 'Identifies a shift; if the API leaves it out, rotation, start and user do.',
      orFrom: ['rotation_id', 'start_at', 'user_id'],
    },
    list: { type: 'text', description: 'The list the shift is in: final, overrides or scheduled.' },
    rotation_id: { type: 'text', description: 'Id of the rotation the shift belongs to.' },
    schedule_id: { type: 'text', description: 'Joins schedules.id.' },
    start_at: { type: 'timestamp', required: true, description: 'When the shift starts.' },
    user: { type: 'json', description: 'The user who is on call; empty if nobody is.', personal: true },
    user_id: { type: 'text', description: 'Joins users.id.', from: ['user', 'id'] },
  },
});
