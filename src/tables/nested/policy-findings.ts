import { policyFindings } from '../policy-findings.ts';
import { defineNested, joins } from './nested.ts';

export const policyFindingResponsibleUsers = defineNested({
  name: 'policy_finding_responsible_users',
  description: 'One row is a user who is responsible for a policy finding.',
  itemsOf: { table: policyFindings, path: 'responsible_users[]', by: ['policy_finding_id'] },
  primaryKey: ['policy_finding_id', 'user_id'],
  columns: {
    policy_finding_id: joins('policy_findings'),
    user_id: joins('users', ['id']),
    name: { type: 'text', description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    role: { type: 'text', description: 'Role of the user in incident.io.' },
    slack_user_id: { type: 'text', description: 'Id of the user in Slack.', personal: true },
  },
});
