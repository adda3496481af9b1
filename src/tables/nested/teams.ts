import { teams } from '../teams.ts';
import { defineNested, joins } from './nested.ts';

export const teamMembers = defineNested({
  name: 'team_members',
  description: 'One row is a user in a team.',
  itemsOf: { table: teams, path: 'members[]', by: ['team_id'] },
  primaryKey: ['team_id', 'user_id'],
  columns: {
    team_id: joins('teams'),
    user_id: joins('users', ['id']),
    name: { type: 'text', description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    slack_user_id: { type: 'text', description: 'Id of the user in Slack.', personal: true },
  },
});
