import { defineTable } from './table.ts';

export const scheduleSyncRules = defineTable({
  name: 'schedule_sync_rules',
  description: 'One row is a rule that keeps a Slack user group in step with a schedule.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/schedules/{schedule_id}/sync_rules',
  parent: {
    table: 'schedules',
    params: [{ name: 'schedule_id', in: 'path', column: 'id' }],
    columns: { schedule_id: 'id' },
  },
  records: 'schedule_sync_rules',
  scope: 'schedules.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the rule.' },
    permanent_member_user_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of users who are always in the group.',
      personal: true,
    },
    rotation_id: { type: 'text', description: 'Id of the rotation whose members are synced; empty for all.' },
    schedule_id: { type: 'text', required: true, description: 'Joins schedules.id.' },
    schedule_sync_target: { type: 'json', required: true, description: 'The user group.' },
    schedule_sync_target_id: { type: 'text', required: true, description: 'Joins schedule_sync_targets.id.' },
    sync_type: {
      type: 'text',
      required: true,
      description: 'Members that are synced: on_call, all_users or next_on_call.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the rule was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the rule last changed.' },
  },
});
