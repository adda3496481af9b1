import { defineTable } from './table.ts';

export const catalogEntries = defineTable({
  name: 'catalog_entries',
  description: 'One row is an entry of the catalog, such as a service or a team.',
  group: 'Catalog',
  path: '/v3/catalog_entries',
  parent: {
    table: 'catalog_types',
    params: [{ name: 'catalog_type_id', in: 'query', column: 'id' }],
    columns: { catalog_type_id: 'id' },
  },
  records: 'catalog_entries',
  scope: 'catalog_entries.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the entry.' },
    aliases: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of other names the entry can be referred to by.',
      personal: true,
    },
    archived_at: { type: 'timestamp', description: 'When the entry was archived.' },
    attribute_values: {
      type: 'json',
      required: true,
      description: 'The values of the entry, by the id of the attribute.',
      personal: true,
    },
    catalog_type_id: { type: 'text', required: true, description: 'Joins catalog_types.id.' },
    custom_aliases: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the aliases that people added.',
      personal: true,
    },
    external_id: {
      type: 'text',
      description: 'Id of the entry in the system it comes from.',
      personal: true,
    },
    name: { type: 'text', required: true, description: 'Name of the entry.', personal: true },
    rank: {
      type: 'bigint',
      required: true,
      description: 'Position of the entry, for a type whose entries have an order.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the entry was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the entry last changed.' },
  },
});
