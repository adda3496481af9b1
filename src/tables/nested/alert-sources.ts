import { alertSources } from '../alert-sources.ts';
import { defineNested, joins, position } from './nested.ts';

export const alertSourceAttributes = defineNested({
  name: 'alert_source_attributes',
  description: 'One row says how an alert source fills an attribute of its alerts.',
  itemsOf: {
    table: alertSources,
    path: 'template.attributes[]',
    by: ['alert_source_id'],
    position: 'position',
  },
  primaryKey: ['alert_source_id', 'position'],
  columns: {
    alert_source_id: joins('alert_sources'),
    position,
    alert_attribute_id: joins('alert_attributes'),
    binding: { type: 'json', description: 'Where the value comes from: a literal or a reference.' },
  },
});
