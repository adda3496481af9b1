import { defineTable } from './table.ts';

export const incidentTemplates = defineTable({
  name: 'incident_templates',
  description: 'One row is a template that incidents can be declared from.',
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v1/incident_templates',
  records: 'incident_templates',
  scope: 'incident_templates.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the incident template.' },
    expressions: {
      type: 'json',
      list: true,
      description: 'Expressions that the values of the template use.',
    },
    name: { type: 'text', required: true, description: 'Name of the template.' },
    template: {
      type: 'json',
      required: true,
      description: 'The values that an incident gets from the template.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the template was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the template last changed.' },
  },
});
