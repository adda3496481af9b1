import { defineTable } from './table.ts';

export const severities = defineTable({
  name: 'severities',
  description: 'One row is a severity an incident can have.',
  path: '/v1/severities',
  records: 'severities',
  scope: 'severities.view',
  paging: { kind: 'single' },
  filters: {},
  methods: ['full_refresh'],
  incrementalFields: [],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', description: 'Id of the severity.' },
    name: { type: 'text', description: 'Name of the severity.' },
    description: { type: 'text', description: 'What the severity means.' },
    rank: { type: 'bigint', description: 'Place in the order of severities; the lower, the less severe.' },
    created_at: { type: 'timestamp', description: 'When the severity was created.' },
    updated_at: { type: 'timestamp', description: 'When the severity last changed.' },
  },
});
