import { defineTable } from './table.ts';

export const incidentStatuses = defineTable({
  name: 'incident_statuses',
  description: 'One row is a status an incident can have, with the category it belongs to.',
  path: '/v1/incident_statuses',
  records: 'incident_statuses',
  scope: 'incident_statuses.view',
  paging: { kind: 'single' },
  filters: {},
  methods: ['full_refresh'],
  incrementalFields: [],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', description: 'Id of the status.' },
    name: { type: 'text', description: 'Name of the status.' },
    description: { type: 'text', description: 'What the status means, as rich text.' },
    category: {
      type: 'text',
      description:
        'Category of the status: triage, declined, merged, canceled, live (called Active in the product), learning (called Post-incident), closed or paused.',
    },
    rank: { type: 'bigint', description: 'Place in the order of statuses.' },
    created_at: { type: 'timestamp', description: 'When the status was created.' },
    updated_at: { type: 'timestamp', description: 'When the status last changed.' },
  },
});
