import { incidentForms } from '../incident-forms.ts';
import { defineNested, joins, position } from './nested.ts';

export const incidentFormElements = defineNested({
  name: 'incident_form_elements',
  description: 'One row is a field that a form of incidents asks for.',
  itemsOf: {
    table: incidentForms,
    path: 'lifecycle_elements[]',
    by: ['incident_form_id'],
    position: 'position',
  },
  // Some elements have no id.
  primaryKey: ['incident_form_id', 'position'],
  columns: {
    incident_form_id: joins('incident_forms'),
    position,
    id: { type: 'text', description: 'Id of the element, if it has one.' },
    element_type: { type: 'text', description: 'What is asked for, such as a custom field or a role.' },
    custom_field_id: joins('custom_fields'),
    incident_role_id: joins('incident_roles'),
    incident_timestamp_id: joins('incident_timestamps'),
    description: { type: 'text', description: 'Text that explains the field.' },
    placeholder: { type: 'text', description: 'Text in the empty field.' },
    required_if: { type: 'text', description: 'When the field has to be filled in.' },
    can_select_no_value: { type: 'boolean', description: 'Whether people may choose to give no value.' },
    config: { type: 'json', description: 'Settings of this kind of element.' },
    default_value: { type: 'json', description: 'The value the field begins with.' },
    required_if_condition_groups: {
      type: 'json',
      description: 'List of the conditions under which the field has to be filled in.',
    },
    show_if_condition_groups: {
      type: 'json',
      description: 'List of the conditions under which the field is shown.',
    },
  },
});
