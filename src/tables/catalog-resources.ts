import { defineTable } from './table.ts';

export const catalogResources = defineTable({
  name: 'catalog_resources',
  description: 'One row is a kind of value that an attribute of a catalog type can hold.',
  group: 'Catalog',
  selectedBy: 'all',
  path: '/v3/catalog_resources',
  records: 'resources',
  scope: 'catalog_types.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['type'],
  columns: {
    category: { type: 'text', required: true, description: 'Category: primitive, custom or external.' },
    description: { type: 'text', required: true, description: 'What a value of this kind represents.' },
    engine_resource_type: {
      type: 'text',
      required: true,
      description: 'Name of the kind as alert attributes refer to it.',
    },
    label: { type: 'text', required: true, description: 'Label of the kind.' },
    type: {
      type: 'text',
      required: true,
      description: 'Name of the kind as attributes of catalog types refer to it.',
    },
    value_docstring: {
      type: 'text',
      required: true,
      description: 'How a literal value of this kind is written.',
    },
  },
});
