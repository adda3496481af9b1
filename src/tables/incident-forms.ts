import { defineTable } from './table.ts';

export const incidentForms = defineTable({
  name: 'incident_forms',
  description: 'One row is a form that people fill in for an incident.',
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v3/incident_forms',
  records: 'incident_forms',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the incident form.' },
    expressions: {
      type: 'json',
      list: true,
      required: true,
      description: 'Expressions that conditions and defaults of the form use.',
    },
    form_type: {
      type: 'text',
      required: true,
      description: 'What the form is for: declare, accept, update, resolve, retrospective or custom-fields.',
    },
    incident_type_id: {
      type: 'text',
      description: "Joins incident_types.id; empty for the account's default form.",
    },
    lifecycle_elements: {
      type: 'json',
      list: true,
      description: 'List of the elements of the form, in order.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the form was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the form last changed.' },
  },
});
