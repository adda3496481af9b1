import { defineTable } from './table.ts';

export const scheduleSyncTargets = defineTable({
  name: 'schedule_sync_targets',
  description: 'One row is a Slack user group whose members follow schedules.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/schedule_sync_targets',
  records: 'schedule_sync_targets',
  scope: 'schedules.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the sync target.' },
    add_bot_to_group: {
      type: 'boolean',
      required: true,
      description: "Whether incident.io's bot is a member of the group too.",
    },
    linked_schedules: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the schedules the group follows.',
    },
    slack_team_id: { type: 'text', required: true, description: 'Id of the Slack workspace.' },
    slack_user_group_id: { type: 'text', required: true, description: 'Id of the Slack user group.' },
    created_at: { type: 'timestamp', required: true, description: 'When the target was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the target last changed.' },
  },
});
