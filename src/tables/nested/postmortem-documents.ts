import { postmortemDocuments } from '../postmortem-documents.ts';
import { defineNested, joins } from './nested.ts';

export const postmortemDocumentEditors = defineNested({
  name: 'postmortem_document_editors',
  description: 'One row is a user who has edited a post-mortem document.',
  itemsOf: { table: postmortemDocuments, path: 'editors[]', by: ['postmortem_document_id'] },
  primaryKey: ['postmortem_document_id', 'user_id'],
  columns: {
    postmortem_document_id: joins('postmortem_documents'),
    user_id: joins('users', ['id']),
    name: { type: 'text', description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    role: { type: 'text', description: 'Role of the user in incident.io.' },
    slack_user_id: { type: 'text', description: 'Id of the user in Slack.', personal: true },
  },
});
