import { incidents } from '../incidents.ts';
import { defineNested, joins, position } from './nested.ts';

export const incidentCustomFieldValues = defineNested({
  name: 'incident_custom_field_values',
  description:
    'One row is a value of a custom field of an incident; a field with several values has several rows, one without a value has none.',
  itemsOf: {
    table: incidents,
    path: 'custom_field_entries[].values[]',
    by: ['incident_id'],
    position: 'position',
    outer: {
      custom_field_id: ['custom_field', 'id'],
      custom_field_name: ['custom_field', 'name'],
      field_type: ['custom_field', 'field_type'],
    },
  },
  primaryKey: ['incident_id', 'custom_field_id', 'position'],
  columns: {
    incident_id: joins('incidents'),
    custom_field_id: joins('custom_fields'),
    custom_field_name: { type: 'text', description: 'Name of the custom field when the incident was read.' },
    field_type: {
      type: 'text',
      description: 'What the field holds: single_select, multi_select, text, link, numeric and so on.',
    },
    position,
    option_id: {
      type: 'text',
      description: 'Id of the option, for a field with options.',
      from: ['value_option', 'id'],
    },
    option_value: {
      type: 'text',
      description: 'Text of the option, for a field with options.',
      from: ['value_option', 'value'],
    },
    catalog_entry_id: {
      type: 'text',
      description: 'Joins catalog_entries.id, for a field whose options are entries of the catalog.',
      from: ['value_catalog_entry', 'id'],
    },
    catalog_entry_name: {
      type: 'text',
      description: 'Name of the catalog entry.',
      from: ['value_catalog_entry', 'name'],
      personal: true,
    },
    value_text: { type: 'text', description: 'The text, for a text field.', personal: true },
    value_link: { type: 'text', description: 'The address, for a link field.', personal: true },
    value_numeric: {
      type: 'text',
      description: 'The number as text, as the API sends it, for a numeric field; cast it to calculate.',
    },
  },
});

export const incidentRoleAssignments = defineNested({
  name: 'incident_role_assignments',
  description: 'One row is a role of an incident, with the user who has it, if any.',
  itemsOf: {
    table: incidents,
    path: 'incident_role_assignments[]',
    by: ['incident_id'],
    position: 'position',
  },
  // The position, because the API does not say that a role has only one user.
  primaryKey: ['incident_id', 'position'],
  columns: {
    incident_id: joins('incidents'),
    position,
    incident_role_id: joins('incident_roles', ['role', 'id']),
    role_name: {
      type: 'text',
      description: 'Name of the role when the incident was read.',
      from: ['role', 'name'],
    },
    role_type: {
      type: 'text',
      description: 'Kind of role: lead, reporter or custom.',
      from: ['role', 'role_type'],
    },
    assignee_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if nobody has the role.',
      from: ['assignee', 'id'],
    },
    assignee_name: {
      type: 'text',
      description: 'Name of the user who has the role.',
      from: ['assignee', 'name'],
      personal: true,
    },
  },
});

export const incidentTimestampValues = defineNested({
  name: 'incident_timestamp_values',
  description: 'One row is a lifecycle timestamp of an incident, such as when it was reported or resolved.',
  itemsOf: { table: incidents, path: 'incident_timestamp_values[]', by: ['incident_id'] },
  primaryKey: ['incident_id', 'incident_timestamp_id'],
  columns: {
    incident_id: joins('incidents'),
    incident_timestamp_id: joins('incident_timestamps', ['incident_timestamp', 'id']),
    name: { type: 'text', description: 'Name of the timestamp.', from: ['incident_timestamp', 'name'] },
    rank: {
      type: 'bigint',
      description: 'Place of the timestamp among the others.',
      from: ['incident_timestamp', 'rank'],
    },
    occurred_at: {
      type: 'timestamp',
      description: 'The time; empty if it has not been set.',
      from: ['value', 'value'],
    },
  },
});

export const incidentDurationMetrics = defineNested({
  name: 'incident_duration_metrics',
  description: 'One row is a duration metric of an incident, such as the time until it was resolved.',
  itemsOf: { table: incidents, path: 'duration_metrics[]', by: ['incident_id'] },
  primaryKey: ['incident_id', 'duration_metric_id'],
  columns: {
    incident_id: joins('incidents'),
    duration_metric_id: {
      type: 'text',
      description: 'Id of the metric.',
      from: ['duration_metric', 'id'],
    },
    name: { type: 'text', description: 'Name of the metric.', from: ['duration_metric', 'name'] },
    status: { type: 'text', description: 'Whether it could be calculated; success if so.' },
    value_seconds: {
      type: 'bigint',
      description: 'The duration in seconds; only meaningful if status is success.',
    },
  },
});

export const incidentDebriefs = defineNested({
  name: 'incident_debriefs',
  description: 'One row is a debrief meeting of an incident; cancelled ones are left out by the API.',
  itemsOf: { table: incidents, path: 'debriefs[]', by: ['incident_id'] },
  primaryKey: ['incident_id', 'id'],
  columns: {
    incident_id: joins('incidents'),
    id: { type: 'text', description: 'Id of the debrief.' },
    start_at: { type: 'timestamp', description: 'When it begins.' },
    end_at: { type: 'timestamp', description: 'When it ends.' },
  },
});

export const incidentTeams = defineNested({
  name: 'incident_teams',
  description: 'One row is a team of an incident.',
  itemsOf: { table: incidents, path: 'team_ids[]', by: ['incident_id'] },
  primaryKey: ['incident_id', 'team_id'],
  columns: { incident_id: joins('incidents'), team_id: joins('teams', ['value']) },
});

export const incidentPostmortemDocumentLinks = defineNested({
  name: 'incident_postmortem_document_links',
  description: 'One row says that a post-mortem document belongs to an incident.',
  itemsOf: { table: incidents, path: 'postmortem_document_ids[]', by: ['incident_id'] },
  primaryKey: ['incident_id', 'postmortem_document_id'],
  columns: {
    incident_id: joins('incidents'),
    postmortem_document_id: joins('postmortem_documents', ['value']),
  },
});
