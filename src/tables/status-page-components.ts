import { defineTable } from './table.ts';

export const statusPageComponents = defineTable({
  name: 'status_page_components',
  description: 'One row is a component that status pages can show.',
  group: 'Status pages',
  path: '/v2/status_page_components',
  records: 'status_page_components',
  // No scope: any key may read it.
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the component.' },
    description: { type: 'text', description: 'Short description of the component.' },
    management_meta: {
      type: 'json',
      required: true,
      description: 'What manages the component, such as the dashboard or Terraform.',
    },
    name: { type: 'text', required: true, description: 'Name of the component.' },
  },
});
