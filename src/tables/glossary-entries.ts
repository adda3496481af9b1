import { defineTable } from './table.ts';

export const glossaryEntries = defineTable({
  name: 'glossary_entries',
  description: "One row explains a term of the account's glossary.",
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v2/glossary_entries',
  records: 'glossary_entries',
  // No scope: any key may read it.
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the glossary entry.' },
    description: { type: 'text', required: true, description: 'What the term means.' },
    item: { type: 'text', required: true, description: 'The term.' },
    rank: { type: 'bigint', required: true, description: 'Position of the entry in the glossary.' },
    created_at: { type: 'timestamp', required: true, description: 'When the entry was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the entry last changed.' },
  },
});
