import { incidentTypes } from '../incident-types.ts';
import { defineNested, joins } from './nested.ts';

export const incidentTypeTeams = defineNested({
  name: 'incident_type_teams',
  description: 'One row is a team that owns an incident type.',
  itemsOf: { table: incidentTypes, path: 'owning_team_ids[]', by: ['incident_type_id'] },
  primaryKey: ['incident_type_id', 'team_id'],
  columns: { incident_type_id: joins('incident_types'), team_id: joins('teams', ['value']) },
});
