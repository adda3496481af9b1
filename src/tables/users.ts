import { defineTable } from './table.ts';

export const users = defineTable({
  name: 'users',
  description: 'One row is a user of the account, active or not.',
  group: 'People',
  path: '/v2/users',
  records: 'users',
  scope: 'users.view',
  paging: { kind: 'pages', pageSize: 10_000 },
  // Without this, users who leave the organisation would leave the table, although incidents still point at them.
  reveals: [{ param: 'include_inactive', values: ['true'] }],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the user.' },
    name: { type: 'text', required: true, description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    slack_user_id: { type: 'text', description: 'Slack id of the user.', personal: true },
    is_active: {
      type: 'boolean',
      required: true,
      description: 'False if the user is deactivated or not active yet.',
    },
    base_role_id: { type: 'text', description: 'Id of the base role.', from: ['base_role', 'id'] },
    base_role: {
      type: 'json',
      required: true,
      description: 'The base role: id, name, slug and description.',
    },
    custom_roles: { type: 'json', list: true, required: true, description: 'List of custom roles.' },
    seats: {
      type: 'json',
      required: true,
      description: 'The on_call and response seats, each full_access, viewer_only or none.',
    },
    role: {
      type: 'text',
      required: true,
      description:
        'Not kept current by incident.io since March 2023; use base_role instead. One of viewer, responder, administrator, owner or unset.',
    },
  },
});
