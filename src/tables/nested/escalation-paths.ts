import { escalationPaths } from '../escalation-paths.ts';
import { defineNested, joins } from './nested.ts';

export const escalationPathTeams = defineNested({
  name: 'escalation_path_teams',
  description: 'One row is a team of an escalation path.',
  itemsOf: { table: escalationPaths, path: 'team_ids[]', by: ['escalation_path_id'] },
  primaryKey: ['escalation_path_id', 'team_id'],
  columns: { escalation_path_id: joins('escalation_paths'), team_id: joins('teams', ['value']) },
});
