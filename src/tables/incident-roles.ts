import { defineTable } from './table.ts';

export const incidentRoles = defineTable({
  name: 'incident_roles',
  description: 'One row is a role that people can have in an incident, such as the lead.',
  group: 'Configuration',
  path: '/v2/incident_roles',
  records: 'incident_roles',
  scope: 'incident_roles.view',
  paging: { kind: 'single' },
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the role.' },
    name: { type: 'text', required: true, description: 'Name of the role.' },
    shortform: {
      type: 'text',
      required: true,
      description: 'Short name used in Slack; empty for the reporter.',
    },
    role_type: { type: 'text', required: true, description: 'Type of the role: lead, reporter or custom.' },
    description: { type: 'text', required: true, description: 'What the role is for.' },
    instructions: {
      type: 'text',
      required: true,
      description: 'Instructions for the person who has the role; empty for the reporter.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the role was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the role last changed.' },
  },
});
