import { alerts } from '../alerts.ts';
import { defineNested, joins, position } from './nested.ts';

export const alertAttributeValues = defineNested({
  name: 'alert_attribute_values',
  description: 'One row is a value of an attribute of an alert; an attribute with a list has several rows.',
  itemsOf: {
    table: alerts,
    path: 'attributes[].value|array_value[]',
    by: ['alert_id'],
    position: 'position',
    outer: {
      alert_attribute_id: ['attribute', 'id'],
      attribute_name: ['attribute', 'name'],
      attribute_type: ['attribute', 'type'],
    },
  },
  primaryKey: ['alert_id', 'alert_attribute_id', 'position'],
  columns: {
    alert_id: joins('alerts'),
    alert_attribute_id: joins('alert_attributes'),
    attribute_name: { type: 'text', description: 'Name of the attribute when the alert was read.' },
    attribute_type: {
      type: 'text',
      description: 'What the attribute holds: String, a catalog type and so on.',
    },
    position,
    label: { type: 'text', description: 'The value as people see it.', personal: true },
    literal: {
      type: 'text',
      description: 'The value itself, if it is a text, number or boolean.',
      personal: true,
    },
    catalog_entry_id: joins('catalog_entries', ['catalog_entry', 'id']),
    catalog_entry_name: {
      type: 'text',
      description: 'Name of the catalog entry.',
      from: ['catalog_entry', 'name'],
      personal: true,
    },
    catalog_type_id: joins('catalog_types', ['catalog_entry', 'catalog_type_id']),
  },
});

export const alertTagAssignments = defineNested({
  name: 'alert_tag_assignments',
  description: 'One row is a tag of an alert.',
  itemsOf: { table: alerts, path: 'tags[]', by: ['alert_id'] },
  primaryKey: ['alert_id', 'alert_tag_id'],
  columns: {
    alert_id: joins('alerts'),
    alert_tag_id: joins('alert_tags', ['id']),
    name: { type: 'text', description: 'Name of the tag when the alert was read.' },
  },
});

export const alertGroupMemberships = defineNested({
  name: 'alert_group_memberships',
  description: 'One row says that an alert is in an alert group.',
  itemsOf: { table: alerts, path: 'alert_group_ids[]', by: ['alert_id'] },
  primaryKey: ['alert_id', 'alert_group_id'],
  columns: {
    alert_id: joins('alerts'),
    alert_group_id: { type: 'text', description: 'Id of the alert group.', from: ['value'] },
  },
});
