import { maintenanceWindows } from '../maintenance-windows.ts';
import { defineNested, joins } from './nested.ts';

export const maintenanceWindowTeams = defineNested({
  name: 'maintenance_window_teams',
  description: 'One row is a team that owns a maintenance window.',
  itemsOf: { table: maintenanceWindows, path: 'owning_team_ids[]', by: ['maintenance_window_id'] },
  primaryKey: ['maintenance_window_id', 'team_id'],
  columns: { maintenance_window_id: joins('maintenance_windows'), team_id: joins('teams', ['value']) },
});
