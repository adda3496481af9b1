import { defineTable } from './table.ts';

export const userNotificationMethods = defineTable({
  name: 'user_notification_methods',
  description: 'One row is a way in which a user can be notified.',
  group: 'People',
  selectedBy: 'name',
  path: '/v2/users/{user_id}/notification_methods',
  parent: {
    table: 'users',
    params: [{ name: 'user_id', in: 'path', column: 'id' }],
    columns: { user_id: 'id' },
    where: [{ column: 'seats', path: ['on_call'], oneOf: ['full_access'] }],
  },
  records: 'notification_methods',
  scope: 'notification_methods.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the notification method.' },
    address: {
      type: 'text',
      required: true,
      description: 'Address of the method, such as an email address or a number.',
      personal: true,
    },
    is_usable: {
      type: 'boolean',
      required: true,
      description: 'Whether the method can be used, such as a number that is confirmed.',
    },
    method_type: {
      type: 'text',
      required: true,
      description: 'Kind: app, email, microsoft_teams, phone, slack or whatsapp_message.',
    },
    phone_details: { type: 'json', description: 'Details of a phone.' },
    user_id: { type: 'text', description: 'Joins users.id.' },
  },
});
