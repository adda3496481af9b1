import { statusPageIncidents } from '../status-page-incidents.ts';
import { defineNested, joins, position } from './nested.ts';

export const statusPageIncidentUpdates = defineNested({
  name: 'status_page_incident_updates',
  description: 'One row is an update that was posted to an incident on a status page.',
  itemsOf: { table: statusPageIncidents, path: 'updates[]', by: ['status_page_incident_id'] },
  primaryKey: ['status_page_incident_id', 'id'],
  columns: {
    status_page_incident_id: joins('status_page_incidents'),
    id: { type: 'text', description: 'Id of the update.' },
    incident_status: { type: 'text', description: 'Status of the incident from this update on.' },
    message: { type: 'text', description: 'Text of the update.', personal: true },
    component_statuses: {
      type: 'json',
      description: 'List of the components concerned, with their statuses.',
    },
    published_at: { type: 'timestamp', description: 'When the update was published.' },
  },
});

export const statusPageIncidentComponentImpacts = defineNested({
  name: 'status_page_incident_component_impacts',
  description: 'One row is a time in which an incident on a status page affected a component.',
  itemsOf: {
    table: statusPageIncidents,
    path: 'component_impacts[]',
    by: ['status_page_incident_id'],
    position: 'position',
  },
  primaryKey: ['status_page_incident_id', 'position'],
  columns: {
    status_page_incident_id: joins('status_page_incidents'),
    position,
    component_id: joins('status_page_components'),
    component_status: { type: 'text', description: 'How the component was affected.' },
    start_at: { type: 'timestamp', description: 'When the impact began.' },
    end_at: { type: 'timestamp', description: 'When the impact ended; empty while it lasts.' },
  },
});
