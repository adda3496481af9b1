import { defineTable } from './table.ts';

export const alertSources = defineTable({
  name: 'alert_sources',
  description: 'One row is a source that sends alerts; its secret token never leaves the API.',
  group: 'Alerts',
  path: '/v2/alert_sources',
  records: 'alert_sources',
  scope: 'alert_sources.view',
  paging: { kind: 'single' },
  every: '24h',
  secrets: ['secret_token'],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the alert source.' },
    alert_events_url: {
      type: 'text',
      description: 'Address that alert events are sent to, for a source that receives them by webhook.',
    },
    auto_resolve_incident_alerts: {
      type: 'boolean',
      description: 'Whether alerts attached to an incident are resolved automatically too.',
    },
    auto_resolve_timeout_minutes: {
      type: 'bigint',
      description: 'Minutes after which an alert of this source is resolved automatically.',
    },
    azure_devops_options: { type: 'json', description: 'Options of an Azure DevOps source.' },
    email_options: {
      type: 'json',
      description: 'Options of an email source, with its address.',
      personal: true,
    },
    filter_condition_groups: {
      type: 'json',
      list: true,
      description: 'Conditions an event has to meet to be accepted.',
    },
    fixed_team_id: {
      type: 'text',
      description: 'Joins teams.id: the team that every alert of this source belongs to.',
    },
    heartbeat_options: { type: 'json', description: 'Options of a heartbeat source.' },
    http_custom_options: { type: 'json', description: 'Options of a custom HTTP source.' },
    jira_options: { type: 'json', description: 'Options of a Jira source.' },
    name: { type: 'text', required: true, description: 'Name of the alert source.' },
    owning_team_ids: {
      type: 'json',
      list: true,
      description: 'List of the ids of the teams that own the source.',
    },
    rate_limit_sharding: { type: 'json', description: "How the source's rate limit is divided." },
    source_type: {
      type: 'text',
      required: true,
      description: 'Kind of the source, such as alertmanager or http.',
    },
    template: {
      type: 'json',
      required: true,
      description: 'How title, description and attributes are taken from an event.',
    },
  },
});
