import { defineTable } from './table.ts';

export const maintenanceWindows = defineTable({
  name: 'maintenance_windows',
  description: 'One row is a maintenance window, during which matching alerts are held back.',
  group: 'Alerts',
  path: '/v1/maintenance_windows',
  records: 'maintenance_windows',
  scope: 'maintenance_windows.view',
  paging: { kind: 'pages', pageSize: 50 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the maintenance window.' },
    alert_condition_groups: {
      type: 'json',
      list: true,
      required: true,
      description: 'Conditions an alert has to meet for the window to apply.',
    },
    archived_at: { type: 'timestamp', description: 'When the window was archived.' },
    end_at: { type: 'timestamp', required: true, description: 'When the window ends.' },
    escalation_targets: {
      type: 'json',
      list: true,
      description: 'List of the targets that matching alerts are escalated to.',
    },
    incident_id: {
      type: 'text',
      description: 'Joins incidents.id: the incident that matching alerts are attached to.',
    },
    lead: { type: 'json', required: true, description: 'Who leads the maintenance.', personal: true },
    lead_user_id: { type: 'text', description: 'Joins users.id.', from: ['lead', 'user', 'id'] },
    name: { type: 'text', required: true, description: 'Name of the window.' },
    notification_message: {
      type: 'text',
      description: 'Message added to the notifications.',
      personal: true,
    },
    notify_channels: {
      type: 'json',
      list: true,
      description: 'List of the channels that are notified of the start and the end.',
    },
    notify_end_minutes_before: {
      type: 'bigint',
      description: 'Minutes before the end at which the channels are notified.',
    },
    notify_start_minutes_before: {
      type: 'bigint',
      description: 'Minutes before the start at which the channels are notified.',
    },
    owning_team_ids: {
      type: 'json',
      list: true,
      description: 'List of the ids of the teams that own the window.',
    },
    reroute_on_end: {
      type: 'boolean',
      required: true,
      description: 'Whether alerts that still fire are routed again at the end.',
    },
    resolve_on_end: {
      type: 'boolean',
      required: true,
      description: 'Whether matching alerts that still fire are resolved at the end.',
    },
    show_in_sidebar: {
      type: 'boolean',
      required: true,
      description: 'Whether the dashboard shows the window in its sidebar.',
    },
    start_at: { type: 'timestamp', required: true, description: 'When the window starts.' },
    created_at: { type: 'timestamp', required: true, description: 'When the window was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the window last changed.' },
  },
});
