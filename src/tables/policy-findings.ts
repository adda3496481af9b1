import { defineTable } from './table.ts';

export const policyFindings = defineTable({
  name: 'policy_findings',
  description: 'One row is something that breaks a policy, or did, in every state.',
  group: 'Configuration',
  path: '/v2/policy_findings',
  records: 'policy_findings',
  scope: 'policies.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the finding.' },
    days: {
      type: 'bigint',
      description: 'Days past the due date of the policy, as of the last read that found another change.',
      volatile: true,
    },
    debrief: { type: 'json', description: 'What was found, for a policy of the type debrief.' },
    dismissal: { type: 'json', description: 'Who dismissed the finding, when and why.', personal: true },
    due_at: { type: 'timestamp', description: 'When the finding becomes overdue.' },
    follow_up: { type: 'json', description: 'What was found, for a policy of the type follow_up.' },
    last_checked_at: {
      type: 'timestamp',
      required: true,
      description: 'When the policy was last checked, as of the last read that found another change.',
      volatile: true,
    },
    on_call_readiness: {
      type: 'json',
      description: 'What was found, for a policy of the type on_call_readiness.',
      personal: true,
    },
    policy_id: { type: 'text', required: true, description: 'Joins policies.id.' },
    policy_type: {
      type: 'text',
      required: true,
      description:
        'Type of the policy: debrief, follow_up, on_call_readiness, post_mortem, schedule, shift_conflict or vacation_conflict.',
    },
    post_mortem: { type: 'json', description: 'What was found, for a policy of the type post_mortem.' },
    responsible_users: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the users who have to resolve the finding.',
      personal: true,
    },
    schedule: {
      type: 'json',
      description: 'The gap in on-call cover, for a policy of the type schedule.',
      personal: true,
    },
    shift_conflict: {
      type: 'json',
      description: 'The shifts of one user that overlap, for a policy of the type shift_conflict.',
      personal: true,
    },
    state: {
      type: 'text',
      required: true,
      description: 'State: pending, active, resolved, cancelled or dismissed.',
    },
    vacation_conflict: {
      type: 'json',
      description: 'The shift that falls into a holiday, for a policy of the type vacation_conflict.',
      personal: true,
    },
    created_at: { type: 'timestamp', required: true, description: 'When the finding was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the finding last changed.' },
  },
});
