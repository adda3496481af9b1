import { defineTable } from './table.ts';

export const alertAttachments = defineTable({
  name: 'alert_attachments',
  description: 'One row is something attached to an alert; one request per alert reads them.',
  group: 'Alerts',
  selectedBy: 'all',
  path: '/v2/alert_attachments',
  parent: {
    table: 'alerts',
    params: [{ name: 'alert_id', in: 'query', column: 'id' }],
    columns: { alert_id: 'id' },
    open: [{ column: 'status', oneOf: ['firing'] }],
  },
  records: 'alert_attachments',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 25 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the attachment.' },
    alert_group_id: { type: 'text', description: 'Id of the alert group, for an attachment of a group.' },
    alert_id: { type: 'text', description: 'Joins alerts.id.' },
    title: { type: 'text', required: true, description: 'Title of the attachment.', personal: true },
    url: { type: 'text', required: true, description: 'Link to what is attached.', personal: true },
    created_at: { type: 'timestamp', required: true, description: 'When it was attached.' },
  },
});
