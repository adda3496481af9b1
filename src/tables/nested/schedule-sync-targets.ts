import { scheduleSyncTargets } from '../schedule-sync-targets.ts';
import { defineNested, joins } from './nested.ts';

export const scheduleSyncTargetSchedules = defineNested({
  name: 'schedule_sync_target_schedules',
  description: 'One row says that a schedule is linked with a group that is kept in step with it.',
  itemsOf: { table: scheduleSyncTargets, path: 'linked_schedules[]', by: ['schedule_sync_target_id'] },
  primaryKey: ['schedule_sync_target_id', 'schedule_id'],
  columns: {
    schedule_sync_target_id: joins('schedule_sync_targets'),
    schedule_id: joins('schedules', ['id']),
    name: { type: 'text', description: 'Name of the schedule.' },
    team_ids: { type: 'json', description: 'List of the ids of the schedule’s teams.' },
  },
});
