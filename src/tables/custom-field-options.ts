import { defineTable } from './table.ts';

export const customFieldOptions = defineTable({
  name: 'custom_field_options',
  description: 'One row is an option that can be chosen for a custom field.',
  group: 'Configuration',
  path: '/v1/custom_field_options',
  parent: {
    table: 'custom_fields',
    params: [{ name: 'custom_field_id', in: 'query', column: 'id' }],
    columns: { custom_field_id: 'id' },
    // Fields of other types, and those that take their options from the catalog, have none.
    where: [
      { column: 'field_type', oneOf: ['single_select', 'multi_select'] },
      { column: 'catalog_type_id', oneOf: [null] },
    ],
  },
  records: 'custom_field_options',
  scope: 'custom_fields.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the option.' },
    custom_field_id: { type: 'text', required: true, description: 'Joins custom_fields.id.' },
    sort_key: {
      type: 'bigint',
      required: true,
      description: 'Position of the option among the others of its field.',
    },
    value: { type: 'text', required: true, description: 'Name of the option.' },
  },
});
