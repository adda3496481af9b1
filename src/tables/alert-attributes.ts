import { defineTable } from './table.ts';

export const alertAttributes = defineTable({
  name: 'alert_attributes',
  description: 'One row is an attribute that alerts can carry; its values are in alerts.attributes.',
  group: 'Alerts',
  path: '/v2/alert_attributes',
  records: 'alert_attributes',
  scope: 'alert_schema.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the attribute.' },
    array: { type: 'boolean', required: true, description: 'Whether the attribute holds a list of values.' },
    emoji: { type: 'text', description: 'Emoji shown next to the attribute in chat messages.' },
    name: { type: 'text', required: true, description: 'Name of the attribute.' },
    required: {
      type: 'boolean',
      required: true,
      description: 'Whether every alert has to carry the attribute.',
    },
    type: {
      type: 'text',
      required: true,
      description: 'Kind of its values: String, a catalog type and so on.',
    },
  },
});
