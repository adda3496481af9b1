import { defineTable } from './table.ts';

export const incidentTimestamps = defineTable({
  name: 'incident_timestamps',
  description:
    'One row is a point of the incident lifecycle that the account records, such as when the impact started.',
  group: 'Configuration',
  path: '/v2/incident_timestamps',
  records: 'incident_timestamps',
  // No scope: any key may read it.
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the timestamp.' },
    name: { type: 'text', required: true, description: 'Name of the timestamp.' },
    rank: { type: 'bigint', required: true, description: 'Position of the timestamp among the others.' },
  },
});
