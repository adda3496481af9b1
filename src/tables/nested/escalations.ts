import { escalations } from '../escalations.ts';
import { defineNested, joins, position } from './nested.ts';

export const escalationEvents = defineNested({
  name: 'escalation_events',
  description:
    'One row is something that happened in an escalation, such as a notification or an acknowledgement.',
  itemsOf: { table: escalations, path: 'events[]', by: ['escalation_id'], position: 'position' },
  primaryKey: ['escalation_id', 'id'],
  columns: {
    escalation_id: joins('escalations'),
    id: { type: 'text', description: 'Id of the event.' },
    position,
    event: { type: 'text', description: 'What happened.' },
    urgency: { type: 'text', description: 'Urgency of a notification: high or low.' },
    occurred_at: { type: 'timestamp', description: 'When it happened.' },
    users: {
      type: 'json',
      description: 'List of the users concerned; escalation_event_users has a row for each.',
      personal: true,
    },
    channels: {
      type: 'json',
      description: 'List of the chat channels concerned; escalation_event_channels has a row for each.',
    },
  },
});

export const escalationEventUsers = defineNested({
  name: 'escalation_event_users',
  description: 'One row is a user concerned by an event of an escalation.',
  itemsOf: {
    table: escalations,
    path: 'events[].users[]',
    by: ['escalation_id'],
    outer: { escalation_event_id: ['id'] },
  },
  primaryKey: ['escalation_id', 'escalation_event_id', 'user_id'],
  columns: {
    escalation_id: joins('escalations'),
    escalation_event_id: joins('escalation_events'),
    user_id: joins('users', ['id']),
    name: { type: 'text', description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    role: { type: 'text', description: 'Role of the user in incident.io.' },
    slack_user_id: { type: 'text', description: 'Id of the user in Slack.', personal: true },
  },
});

export const escalationEventChannels = defineNested({
  name: 'escalation_event_channels',
  description: 'One row is a chat channel concerned by an event of an escalation.',
  itemsOf: {
    table: escalations,
    path: 'events[].channels[]',
    by: ['escalation_id'],
    position: 'position',
    outer: { escalation_event_id: ['id'] },
  },
  primaryKey: ['escalation_id', 'escalation_event_id', 'position'],
  columns: {
    escalation_id: joins('escalations'),
    escalation_event_id: joins('escalation_events'),
    position,
    slack_channel_id: { type: 'text', description: 'Id of the channel in Slack.' },
    slack_team_id: { type: 'text', description: 'Id of the workspace in Slack.' },
    microsoft_teams_channel_id: { type: 'text', description: 'Id of the channel in Microsoft Teams.' },
    microsoft_teams_team_id: { type: 'text', description: 'Id of the team in Microsoft Teams.' },
  },
});

export const escalationAlerts = defineNested({
  name: 'escalation_alerts',
  description: 'One row says that an alert belongs to an escalation.',
  itemsOf: { table: escalations, path: 'related_alerts[]', by: ['escalation_id'] },
  primaryKey: ['escalation_id', 'alert_id'],
  columns: {
    escalation_id: joins('escalations'),
    alert_id: joins('alerts', ['id']),
    title: { type: 'text', description: 'Title of the alert when the escalation was read.', personal: true },
    description: {
      type: 'text',
      description: 'Description of the alert when the escalation was read.',
      personal: true,
    },
    status: { type: 'text', description: 'Status of the alert when the escalation was read.' },
    alert_source_id: joins('alert_sources'),
    alert_group_ids: { type: 'json', description: 'List of the ids of the groups the alert is in.' },
    deduplication_key: {
      type: 'text',
      description: 'Key by which alerts are recognised as the same.',
      personal: true,
    },
    source_url: {
      type: 'text',
      description: 'Address of the alert in the system it comes from.',
      personal: true,
    },
    resolved_at: { type: 'timestamp', description: 'When the alert was resolved.' },
    created_at: { type: 'timestamp', description: 'When the alert was created.' },
    updated_at: { type: 'timestamp', description: 'When the alert last changed.' },
  },
});

export const escalationIncidents = defineNested({
  name: 'escalation_incidents',
  description: 'One row says that an incident belongs to an escalation.',
  itemsOf: { table: escalations, path: 'related_incidents[]', by: ['escalation_id'] },
  primaryKey: ['escalation_id', 'incident_id'],
  columns: {
    escalation_id: joins('escalations'),
    incident_id: joins('incidents', ['id']),
    reference: { type: 'text', description: 'Reference of the incident, such as INC-123.' },
    name: { type: 'text', description: 'Name of the incident when the escalation was read.', personal: true },
    summary: {
      type: 'text',
      description: 'Summary of the incident when the escalation was read.',
      personal: true,
    },
    status_category: {
      type: 'text',
      description: 'Category of the incident’s status when the escalation was read.',
    },
    visibility: { type: 'text', description: 'Who may see the incident: public or private.' },
    external_id: { type: 'bigint', description: 'Number of the incident within the account.' },
  },
});
