import { defineTable } from './table.ts';

export const alertNotes = defineTable({
  name: 'alert_notes',
  description: 'One row is a note that someone wrote on an alert.',
  group: 'Alerts',
  selectedBy: 'all',
  path: '/v1/alert_notes',
  parent: {
    table: 'alerts',
    params: [{ name: 'alert_id', in: 'query', column: 'id' }],
    columns: { alert_id: 'id' },
    open: [{ column: 'status', oneOf: ['firing'] }],
  },
  records: 'alert_notes',
  scope: 'alerts.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  secrets: ['images[].url'],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the note.' },
    alert_group_id: { type: 'text', description: 'Id of the alert group, for a note on a group.' },
    alert_id: { type: 'text', description: 'Joins alerts.id.' },
    content: { type: 'text', required: true, description: 'Text of the note, in Markdown.', personal: true },
    creator: { type: 'json', required: true, description: 'Who wrote the note.', personal: true },
    creator_user_id: { type: 'text', description: 'Joins users.id.', from: ['creator', 'user', 'id'] },
    last_edited_at: { type: 'timestamp', description: 'When the note was last edited.' },
    images: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the images in the note; their links never leave the API.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the note was written.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the note last changed.' },
  },
});
