import { defineTable } from './table.ts';

export const incidentRelationships = defineTable({
  name: 'incident_relationships',
  description: 'One row relates an incident to another one.',
  group: 'Incidents',
  selectedBy: 'all',
  path: '/v1/incident_relationships',
  parent: {
    table: 'incidents',
    params: [{ name: 'incident_id', in: 'query', column: 'id' }],
    columns: { incident_id: 'id' },
    // The API does not promise that a change here moves the incident.
    open: [{ column: 'incident_status_category', oneOf: ['triage', 'live', 'learning', 'paused'] }],
  },
  records: 'incident_relationships',
  scope: 'incidents.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['incident_id', 'id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the relationship.' },
    incident: {
      type: 'json',
      required: true,
      description: 'The other incident in short, as it was when the row was read.',
      personal: true,
    },
    related_incident_id: {
      type: 'text',
      description: 'Joins incidents.id: the other incident.',
      from: ['incident', 'id'],
    },
    incident_id: { type: 'text', description: 'Joins incidents.id: the incident that was asked for.' },
  },
});
