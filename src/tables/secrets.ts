import { defineTable } from './table.ts';

export const secrets = defineTable({
  name: 'secrets',
  description: 'One row is the name and age of a stored secret, never any part of its value.',
  group: 'Security',
  selectedBy: 'name',
  path: '/v2/secrets',
  records: 'secrets',
  scope: 'secrets.view_metadata',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  secrets: ['last_four_chars'],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the secret.' },
    description: { type: 'text', description: 'What the secret is for.' },
    name: { type: 'text', required: true, description: 'Name of the secret.' },
    owning_team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the teams that own the secret.',
    },
    version: {
      type: 'bigint',
      required: true,
      description: 'Number of the current version, which each rotation raises by one.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the secret was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the secret last changed.' },
  },
});
