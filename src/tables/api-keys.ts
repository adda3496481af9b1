import { defineTable } from './table.ts';

export const apiKeys = defineTable({
  name: 'api_keys',
  description:
    'One row is an API key, never with its token; reading them takes a role that can also create keys.',
  group: 'Security',
  selectedBy: 'name',
  path: '/v1/api_keys',
  records: 'api_keys',
  scope: 'api_keys.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the API key.' },
    comments: { type: 'text', description: 'Notes about the key.', personal: true },
    creator: { type: 'json', required: true, description: 'Who created the key.', personal: true },
    creator_user_id: { type: 'text', description: 'Joins users.id.', from: ['creator', 'user', 'id'] },
    last_used_at: {
      type: 'timestamp',
      description: 'When the key was last used, as of the last read that found another change.',
      volatile: true,
    },
    name: { type: 'text', required: true, description: 'Name of the key.' },
    roles: { type: 'json', list: true, required: true, description: 'List of the roles of the key.' },
    team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the teams the key belongs to.',
    },
    team_roles: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the roles the key has in teams.',
    },
    token_last_issued_at: {
      type: 'timestamp',
      required: true,
      description: 'When the current token was issued.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the key was created.' },
  },
});
