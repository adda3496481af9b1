import { catalogTypes } from '../catalog-types.ts';
import { defineNested, joins, position } from './nested.ts';

export const catalogTypeAttributes = defineNested({
  name: 'catalog_type_attributes',
  description: 'One row is an attribute that the entries of a catalog type have.',
  itemsOf: {
    table: catalogTypes,
    path: 'schema.attributes[]',
    by: ['catalog_type_id'],
    position: 'position',
  },
  primaryKey: ['catalog_type_id', 'id'],
  columns: {
    catalog_type_id: joins('catalog_types'),
    id: { type: 'text', description: 'Id of the attribute.' },
    position,
    name: { type: 'text', description: 'Name of the attribute.' },
    type: { type: 'text', description: 'What it holds: String, Number, a catalog type and so on.' },
    array: { type: 'boolean', description: 'Whether it holds a list of values.' },
    mode: { type: 'text', description: 'Where its values come from, such as manual or external.' },
    backlink_attribute: {
      type: 'text',
      description: 'The attribute of the other type that points here, for one that is filled from there.',
    },
    path: { type: 'json', description: 'List of the attributes that lead to the value, for a derived one.' },
  },
});
