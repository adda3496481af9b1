import { defineTable } from './table.ts';

export const severities = defineTable({
  name: 'severities',
  description: 'One row is a severity an incident can have.',
  group: 'Configuration',
  path: '/v1/severities',
  records: 'severities',
  scope: 'severities.view',
  paging: { kind: 'single' },
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the severity.' },
    name: { type: 'text', required: true, description: 'Name of the severity.' },
    description: { type: 'text', required: true, description: 'What the severity means.' },
    rank: {
      type: 'bigint',
      required: true,
      description: 'Position in the order of severities; a lower rank is less severe.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the severity was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the severity last changed.' },
  },
});
