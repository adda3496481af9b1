import { statusPageMaintenances } from '../status-page-maintenances.ts';
import { defineNested, joins, position } from './nested.ts';

export const statusPageMaintenanceUpdates = defineNested({
  name: 'status_page_maintenance_updates',
  description: 'One row is an update that was posted to a maintenance on a status page.',
  itemsOf: { table: statusPageMaintenances, path: 'updates[]', by: ['status_page_maintenance_id'] },
  primaryKey: ['status_page_maintenance_id', 'id'],
  columns: {
    status_page_maintenance_id: joins('status_page_maintenances'),
    id: { type: 'text', description: 'Id of the update.' },
    maintenance_status: { type: 'text', description: 'Status of the maintenance from this update on.' },
    message: { type: 'text', description: 'Text of the update.', personal: true },
    component_statuses: {
      type: 'json',
      description: 'List of the components concerned, with their statuses.',
    },
    published_at: { type: 'timestamp', description: 'When the update was published.' },
  },
});

export const statusPageMaintenancePeriods = defineNested({
  name: 'status_page_maintenance_periods',
  description: 'One row is a time in which a component is under maintenance.',
  itemsOf: {
    table: statusPageMaintenances,
    path: 'component_maintenance_periods[]',
    by: ['status_page_maintenance_id'],
    position: 'position',
  },
  primaryKey: ['status_page_maintenance_id', 'position'],
  columns: {
    status_page_maintenance_id: joins('status_page_maintenances'),
    position,
    component_id: joins('status_page_components'),
    start_at: { type: 'timestamp', description: 'When the maintenance of the component begins.' },
    end_at: { type: 'timestamp', description: 'When it ends.' },
  },
});
