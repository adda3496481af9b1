import { defineTable } from './table.ts';

export const userNotificationRules = defineTable({
  name: 'user_notification_rules',
  description:
    'One row says when and how a user is notified; rules about shift changes are not listed by the API.',
  group: 'People',
  selectedBy: 'name',
  path: '/v2/users/{user_id}/notification_rules',
  parent: {
    table: 'users',
    params: [{ name: 'user_id', in: 'path', column: 'id' }],
    columns: { user_id: 'id' },
    where: [{ column: 'seats', path: ['on_call'], oneOf: ['full_access'] }],
  },
  records: 'notification_rules',
  scope: 'notification_rules.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the notification rule.' },
    app: { type: 'json', description: 'Details of a rule for the app.' },
    delay_seconds: { type: 'bigint', description: 'Seconds before the rule applies.' },
    method_target: { type: 'json', required: true, description: 'The notification method it uses.' },
    method_type: {
      type: 'text',
      required: true,
      description: 'Kind: app, email, microsoft_teams, phone, slack or whatsapp_message.',
    },
    phone: { type: 'json', description: 'Details of a rule for the phone.' },
    rule_type: {
      type: 'text',
      required: true,
      description: 'Urgency it applies to: high_urgency or low_urgency.',
    },
    user_id: { type: 'text', description: 'Joins users.id.' },
  },
});
