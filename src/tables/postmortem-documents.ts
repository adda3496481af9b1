import { defineTable } from './table.ts';

export const postmortemDocuments = defineTable({
  name: 'postmortem_documents',
  description: 'One row is a post-mortem document of an incident, without its text.',
  group: 'Incidents',
  path: '/v1/postmortem_documents',
  records: 'postmortem_documents',
  scope: 'incidents.view',
  paging: { kind: 'pages', pageSize: 250 },
  // Newest first, the default, would shift the pages when a row is created while they are read.
  query: { sort_by: 'created_at_oldest_first' },
  every: '24h',
  events: [
    'public_incident.postmortem_document_status_updated',
    'private_incident.postmortem_document_status_updated',
  ],
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the document.' },
    document_url: {
      type: 'text',
      required: true,
      description: 'Link to the document in incident.io.',
      personal: true,
    },
    editors: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the users who edited the document.',
      personal: true,
    },
    exported_urls: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the links to exported copies.',
      personal: true,
    },
    incident_id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    status: { type: 'text', required: true, description: 'Status: in_progress, in_review or completed.' },
    title: { type: 'text', required: true, description: 'Title of the document.', personal: true },
    type: { type: 'text', required: true, description: 'Where the document is kept: in_app or external.' },
    created_at: { type: 'timestamp', required: true, description: 'When the document was created.' },
    updated_at: {
      type: 'text',
      required: true,
      description: 'When the document last changed, as incident.io writes it.',
    },
  },
});
