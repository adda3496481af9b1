import { incidentEvents } from './incident-events.ts';
import { incidentStatuses } from './incident-statuses.ts';
import { defineTable } from './table.ts';

export const incidents = defineTable({
  name: 'incidents',
  description:
    'One row is an incident of any mode and status; mode and incident_status_category distinguish real ones from test and declined ones.',
  group: 'Incidents',
  path: '/v2/incidents',
  records: 'incidents',
  scope: 'incidents.view',
  // The reference gives 500 in its schema and 250 in its text; the API serves 250.
  paging: { kind: 'pages', pageSize: 250 },
  bucket: { capacity: 60, perSecond: 1 },
  // With the default, newest first, an incident declared during the read would shift the pages.
  query: { sort_by: 'created_at_oldest_first' },
  reveals: [
    {
      // Without it the API leaves out declined, canceled and merged incidents.
      param: 'status_category[one_of]',
      values: ['triage', 'live', 'learning', 'paused', 'closed', 'declined', 'canceled', 'merged'],
      moreFrom: { path: incidentStatuses.path, records: incidentStatuses.records, field: 'category' },
    },
    {
      // Without it the API leaves out test and tutorial incidents.
      param: 'mode[one_of]',
      values: ['standard', 'retrospective', 'test', 'tutorial'],
    },
  ],
  filters: {
    updated_at: { granularity: 'day', verified: true },
    created_at: { granularity: 'day', verified: false },
  },
  incremental: { by: ['updated_at', 'created_at'], fullReadEvery: '24h' },
  // No windows: the endpoint's own bucket is slower than one cursor, so each further window would cost a second.
  counted: true,
  events: incidentEvents,
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the incident.' },
    reference: {
      type: 'text',
      required: true,
      description: 'Reference shown across the product, such as INC-123.',
    },
    name: { type: 'text', required: true, description: 'Name of the incident.', personal: true },
    summary: { type: 'text', description: 'What happened, as people described it.', personal: true },
    mode: {
      type: 'text',
      required: true,
      description:
        'Mode, which distinguishes real incidents from others: standard, retrospective, test or tutorial.',
    },
    visibility: {
      type: 'text',
      required: true,
      description:
        'Who may see it: public or private. Private incidents are here only if the API key may see them.',
    },
    severity_id: { type: 'text', description: 'Joins severities.id.', from: ['severity', 'id'] },
    severity: { type: 'json', description: 'The severity, as it was when the incident was read.' },
    incident_status_id: {
      type: 'text',
      description: 'Joins incident_statuses.id.',
      from: ['incident_status', 'id'],
    },
    incident_status_category: {
      type: 'text',
      description:
        'Category of the status: triage, live, learning, paused, closed, declined, canceled or merged. To count real incidents, leave out declined, canceled and merged.',
      from: ['incident_status', 'category'],
    },
    incident_status: {
      type: 'json',
      required: true,
      description: 'The status, as it was when the incident was read.',
    },
    incident_type_id: {
      type: 'text',
      description: 'Joins incident_types.id.',
      from: ['incident_type', 'id'],
    },
    incident_type: { type: 'json', description: 'The incident type, as it was when the incident was read.' },
    creator_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if no user declared the incident.',
      from: ['creator', 'user', 'id'],
    },
    creator_alert_id: {
      type: 'text',
      description: 'Joins alerts.id; empty if no alert declared the incident.',
      from: ['creator', 'alert', 'id'],
    },
    creator: {
      type: 'json',
      required: true,
      description: 'Who or what declared it: one of user, api_key, alert or workflow.',
      personal: true,
    },
    incident_role_assignments: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of incident roles, with the user assigned to each.',
      personal: true,
    },
    custom_field_entries: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of custom fields with their values; numbers are given as text.',
      personal: true,
    },
    incident_timestamp_values: {
      type: 'json',
      list: true,
      description: 'List of points in the incident lifecycle, with the time each was reached.',
    },
    duration_metrics: {
      type: 'json',
      list: true,
      description: 'List of duration metrics, with their values in seconds.',
    },
    team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'Ids of the teams the incident belongs to.',
    },
    external_issue_reference: {
      type: 'json',
      description: 'The issue in an external tracker: provider, name and link.',
    },
    has_debrief: { type: 'boolean', description: 'Whether a debrief is attached.' },
    debriefs: { type: 'json', list: true, description: 'List of debriefs with their start and end.' },
    postmortem_document_ids: { type: 'json', list: true, description: 'Ids of the post-mortem documents.' },
    postmortem_document_url: { type: 'text', description: 'Link to the post-mortem document.' },
    permalink: { type: 'text', description: 'Link to the incident in incident.io.' },
    call_url: { type: 'text', description: 'Link to the call of the incident.' },
    slack_team_id: { type: 'text', required: true, description: 'Id of the Slack workspace.' },
    slack_channel_id: {
      type: 'text',
      required: true,
      description: 'Id of the Slack channel; empty until the channel exists.',
    },
    slack_channel_name: { type: 'text', description: 'Name of the Slack channel.', personal: true },
    slack_channel_url: { type: 'text', description: 'Link to the Slack channel.' },
    ms_teams_channel_url: { type: 'text', description: 'Link to the Microsoft Teams channel.' },
    workload_minutes_total: { type: 'double', description: 'Minutes that people spent on the incident.' },
    workload_minutes_working: {
      type: 'double',
      description: 'Minutes of workload_minutes_total within working hours.',
    },
    workload_minutes_late: {
      type: 'double',
      description: 'Minutes of workload_minutes_total in late hours.',
    },
    workload_minutes_sleeping: {
      type: 'double',
      description: 'Minutes of workload_minutes_total in sleeping hours.',
    },
    last_activity_at: {
      type: 'timestamp',
      required: true,
      description: 'When something last happened in the incident.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the incident was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the incident last changed.' },
  },
});
