import { defineTable } from './table.ts';

export const scheduleReplicas = defineTable({
  name: 'schedule_replicas',
  description: 'One row is a copy of a schedule that incident.io keeps in another system.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/schedules/{schedule_id}/replicas',
  parent: {
    table: 'schedules',
    params: [{ name: 'schedule_id', in: 'path', column: 'id' }],
    columns: { schedule_id: 'id' },
  },
  records: 'schedule_replicas',
  scope: 'schedules.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the replica.' },
    last_sync_error: {
      type: 'text',
      description: 'Why the last sync failed, as of the last read that found another change.',
      volatile: true,
    },
    last_synced_at: {
      type: 'timestamp',
      description: 'When the replica was last synced, as of the last read that found another change.',
      volatile: true,
    },
    mirror_window_days: { type: 'bigint', description: 'Days ahead that are copied.' },
    replica_fallback_user_id: {
      type: 'text',
      required: true,
      description: 'Id of the user in the other system who is on call if nobody else is.',
      personal: true,
    },
    replica_provider: {
      type: 'text',
      required: true,
      description: 'The other system: native, pagerduty, opsgenie or jsm.',
    },
    replica_provider_id: {
      type: 'text',
      required: true,
      description: 'Id of the schedule in the other system.',
    },
    schedule_id: { type: 'text', required: true, description: 'Joins schedules.id.' },
    sources: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the rotations and layers that are copied.',
    },
    user_statuses: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the users and who they are in the other system.',
      personal: true,
    },
    created_at: { type: 'timestamp', required: true, description: 'When the replica was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the replica last changed.' },
  },
});
