import { defineTable } from './table.ts';

export const announcementRules = defineTable({
  name: 'announcement_rules',
  description: 'One row is a rule that announces incidents in channels.',
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v2/announcement_rules',
  records: 'announcement_rules',
  scope: 'announcement_rules.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the announcement rule.' },
    condition_groups: {
      type: 'json',
      list: true,
      required: true,
      description: 'Conditions an incident has to meet to be announced.',
    },
    conditions_no_longer_apply_behaviour: {
      type: 'text',
      required: true,
      description: 'What happens to a post once the conditions no longer hold: leave_in_place or remove.',
    },
    microsoft_teams_channel_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the Microsoft Teams channels, as team and channel id.',
    },
    mode: {
      type: 'text',
      required: true,
      description:
        'Incidents that are announced: live_and_closed, include_triage, include_triage_and_merged, include_declined_and_merged or include_all.',
    },
    name: { type: 'text', required: true, description: 'Name of the rule.' },
    owning_team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the teams that own the rule.',
    },
    private_incident_scope: {
      type: 'text',
      description: 'Private incidents that are announced: all, owning_teams or none.',
    },
    slack_channel_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the Slack channels.',
    },
    template_id: { type: 'text', description: 'Joins announcement_templates.id.' },
    update_sharing_mode: {
      type: 'text',
      required: true,
      description: 'Where updates of the incident are shared: none, thread or thread_and_channel.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the rule was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the rule last changed.' },
  },
});
