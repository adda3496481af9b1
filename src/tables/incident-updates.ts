import { incidentEvents } from './incident-events.ts';
import { defineTable } from './table.ts';

export const incidentUpdates = defineTable({
  name: 'incident_updates',
  description: 'One row is an update posted on an incident, with the status and severity it set.',
  group: 'Incidents',
  path: '/v2/incident_updates',
  records: 'incident_updates',
  scope: 'incidents.view',
  paging: { kind: 'pages', pageSize: 250 },
  // Posting an update changes its incident; each full read checks whether everything else does as well.
  changesBy: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
  },
  events: incidentEvents,
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the update.' },
    incident_id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    message: { type: 'text', description: 'Text of the update.', personal: true },
    new_incident_status_id: {
      type: 'text',
      description: 'Status the update set. Joins incident_statuses.id.',
      from: ['new_incident_status', 'id'],
    },
    new_incident_status: { type: 'json', required: true, description: 'The status the update set.' },
    new_severity_id: {
      type: 'text',
      description: 'Severity the update set. Joins severities.id.',
      from: ['new_severity', 'id'],
    },
    new_severity: { type: 'json', description: 'The severity the update set.' },
    merged_into_incident_id: {
      type: 'text',
      description: 'Incident that this one was merged into, if the update merged it. Joins incidents.id.',
    },
    updater_user_id: {
      type: 'text',
      description: 'Joins users.id; empty if no user posted the update.',
      from: ['updater', 'user', 'id'],
    },
    updater: {
      type: 'json',
      required: true,
      description: 'Who or what posted it: one of user, api_key, alert or workflow.',
      personal: true,
    },
    created_at: { type: 'timestamp', required: true, description: 'When the update was posted.' },
  },
});
