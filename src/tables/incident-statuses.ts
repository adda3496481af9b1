import { defineTable } from './table.ts';

export const incidentStatuses = defineTable({
  name: 'incident_statuses',
  description: 'One row is a status an incident can have, with the category it belongs to.',
  group: 'Configuration',
  path: '/v1/incident_statuses',
  records: 'incident_statuses',
  scope: 'incident_statuses.view',
  paging: { kind: 'single' },
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the status.' },
    name: { type: 'text', required: true, description: 'Name of the status.' },
    description: { type: 'text', required: true, description: 'What the status means, as rich text.' },
    category: {
      type: 'text',
      required: true,
      description:
        'Category of the status: triage, declined, merged, canceled, live (called Active in the product), learning (called Post-incident), closed or paused.',
    },
    rank: { type: 'bigint', required: true, description: 'Position in the order of statuses.' },
    created_at: { type: 'timestamp', required: true, description: 'When the status was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the status last changed.' },
  },
});
