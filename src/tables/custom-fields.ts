import { defineTable } from './table.ts';

export const customFields = defineTable({
  name: 'custom_fields',
  description: 'One row is a custom field of incidents; its values are in incidents.custom_field_entries.',
  group: 'Configuration',
  path: '/v2/custom_fields',
  records: 'custom_fields',
  scope: 'custom_fields.view',
  paging: { kind: 'single' },
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the custom field.' },
    name: { type: 'text', required: true, description: 'Name of the custom field.' },
    description: { type: 'text', required: true, description: 'What the custom field is for.' },
    field_type: {
      type: 'text',
      required: true,
      description: 'Type of its values: single_select, multi_select, text, link or numeric.',
    },
    catalog_type_id: {
      type: 'text',
      description: 'Id of the catalog type that its options come from, if any.',
    },
    group_by_catalog_attribute_id: {
      type: 'text',
      description: 'Id of the catalog attribute that groups its options.',
    },
    helptext_catalog_attribute_id: {
      type: 'text',
      description: 'Id of the catalog attribute that explains its options.',
    },
    filter_by: {
      type: 'json',
      description: 'Another custom field whose value narrows down the options of this one.',
    },
    fixed_filter: {
      type: 'json',
      description: 'The catalog attribute, with its values, that the options are limited to.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the custom field was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the custom field last changed.' },
  },
});
