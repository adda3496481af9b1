import { defineTable } from './table.ts';

export const incidentTypes = defineTable({
  name: 'incident_types',
  description: 'One row is a type an incident can have.',
  group: 'Configuration',
  path: '/v1/incident_types',
  records: 'incident_types',
  scope: 'incident_types.view',
  paging: { kind: 'single' },
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the incident type.' },
    name: { type: 'text', required: true, description: 'Name of the incident type.' },
    description: { type: 'text', required: true, description: 'What the incident type is for.' },
    is_default: {
      type: 'boolean',
      required: true,
      description: 'Whether it is used when no other type is chosen.',
    },
    private_incidents_only: {
      type: 'boolean',
      required: true,
      description: 'Whether all incidents of this type are private.',
    },
    create_in_triage: {
      type: 'text',
      required: true,
      description: 'Whether incidents of this type start in triage: always or optional.',
    },
    owning_team_ids: { type: 'json', list: true, description: 'Ids of the teams that own the type.' },
    created_at: { type: 'timestamp', required: true, description: 'When the incident type was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the incident type last changed.' },
  },
});
