import { defineTable } from './table.ts';

export const policies = defineTable({
  name: 'policies',
  description: 'One row is a policy, such as how soon follow-ups have to be done.',
  group: 'Configuration',
  path: '/v2/policies',
  records: 'policies',
  scope: 'policies.view',
  paging: { kind: 'pages', pageSize: 50 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the policy.' },
    assignment_rules: { type: 'json', description: 'Who has to resolve a finding.' },
    conditions: {
      type: 'json',
      list: true,
      required: true,
      description: 'Conditions that say what the policy applies to.',
    },
    debrief: { type: 'json', description: 'Rules of a policy of the type debrief.' },
    description: { type: 'text', description: 'What the policy is for.' },
    expressions: { type: 'json', list: true, description: 'Expressions that the conditions use.' },
    follow_up: { type: 'json', description: 'Rules of a policy of the type follow_up.' },
    name: { type: 'text', required: true, description: 'Name of the policy.' },
    on_call_readiness: { type: 'json', description: 'Rules of a policy of the type on_call_readiness.' },
    policy_type: {
      type: 'text',
      required: true,
      description:
        'What the policy is about: debrief, follow_up, on_call_readiness, post_mortem, schedule, shift_conflict or vacation_conflict.',
    },
    post_mortem: { type: 'json', description: 'Rules of a policy of the type post_mortem.' },
    schedule: {
      type: 'json',
      description: 'Rules of a policy of the type schedule, which finds gaps in on-call cover.',
    },
    status: { type: 'text', required: true, description: 'Status: enabled or disabled.' },
    created_at: { type: 'timestamp', required: true, description: 'When the policy was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the policy last changed.' },
  },
});
