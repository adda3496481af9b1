import { catalogEntries } from '../catalog-entries.ts';
import { defineNested, joins, position } from './nested.ts';

export const catalogEntryAttributeValues = defineNested({
  name: 'catalog_entry_attribute_values',
  description:
    'One row is a value of an attribute of a catalog entry; an attribute with a list has several rows.',
  itemsOf: {
    table: catalogEntries,
    path: 'attribute_values{}.value|array_value[]',
    by: ['catalog_entry_id'],
    position: 'position',
    entry: 'catalog_type_attribute_id',
  },
  primaryKey: ['catalog_entry_id', 'catalog_type_attribute_id', 'position'],
  columns: {
    catalog_entry_id: joins('catalog_entries'),
    catalog_type_attribute_id: joins('catalog_type_attributes'),
    position,
    label: { type: 'text', description: 'The value as people see it.', personal: true },
    literal: {
      type: 'text',
      description: 'The value itself; for an attribute that holds entries, the id of the entry.',
      personal: true,
    },
  },
});

export const catalogEntryAliases = defineNested({
  name: 'catalog_entry_aliases',
  description: 'One row is another name by which a catalog entry can be referred to.',
  itemsOf: { table: catalogEntries, path: 'aliases[]', by: ['catalog_entry_id'] },
  primaryKey: ['catalog_entry_id', 'alias'],
  columns: {
    catalog_entry_id: joins('catalog_entries'),
    alias: { type: 'text', description: 'The name.', from: ['value'], personal: true },
  },
});
