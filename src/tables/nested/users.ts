import { users } from '../users.ts';
import { defineNested, joins } from './nested.ts';

export const userCustomRoles = defineNested({
  name: 'user_custom_roles',
  description: 'One row is a custom role that a user has in incident.io.',
  itemsOf: { table: users, path: 'custom_roles[]', by: ['user_id'] },
  primaryKey: ['user_id', 'id'],
  columns: {
    user_id: joins('users'),
    id: { type: 'text', description: 'Id of the role.' },
    name: { type: 'text', description: 'Name of the role.' },
    slug: { type: 'text', description: 'Short name of the role, for programs.' },
    description: { type: 'text', description: 'What the role is for.' },
  },
});
