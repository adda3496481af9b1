import { defineTable } from './table.ts';

export const workflows = defineTable({
  name: 'workflows',
  description: 'One row is a workflow; the API lists its steps by name only.',
  group: 'Configuration',
  path: '/v2/workflows',
  records: 'workflows',
  scope: 'workflows.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the workflow.' },
    auto_run_mode: {
      type: 'text',
      required: true,
      description: 'Whether it runs immediately or asks first: run_automatically or confirm_before_running.',
    },
    condition_groups: {
      type: 'json',
      list: true,
      required: true,
      description: 'Conditions under which the workflow runs.',
    },
    continue_on_step_error: {
      type: 'boolean',
      required: true,
      description: 'Whether the workflow continues after a failed step.',
    },
    delay: { type: 'json', description: 'How long the workflow waits before it runs.' },
    expressions: {
      type: 'json',
      list: true,
      required: true,
      description: 'Expressions that the steps and conditions use.',
    },
    folder: { type: 'text', description: 'Folder the workflow is shown in.' },
    include_private_escalations: {
      type: 'boolean',
      required: true,
      description: 'Whether the workflow also runs for private escalations.',
    },
    include_private_incidents: {
      type: 'boolean',
      required: true,
      description:
        'Deprecated by incident.io, use private_incident_scope: whether the workflow runs on private incidents.',
    },
    name: { type: 'text', required: true, description: 'Name of the workflow.' },
    once_for: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the references the workflow runs once for.',
    },
    owning_team_ids: {
      type: 'json',
      list: true,
      description: 'List of the ids of the teams that own the workflow.',
    },
    private_incident_scope: {
      type: 'text',
      required: true,
      description: 'Private incidents it runs on: all, owning_teams or none.',
    },
    runs_from: {
      type: 'timestamp',
      description: 'When the workflow was switched on: it runs on incidents from then on.',
    },
    runs_on_incident_modes: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the incident modes it runs on.',
    },
    runs_on_incidents: {
      type: 'text',
      required: true,
      description: 'Incidents it runs on: newly_created or newly_created_and_active.',
    },
    shortform: { type: 'text', description: 'Name that starts the workflow by hand.' },
    state: { type: 'text', required: true, description: 'State: active, disabled, draft or error.' },
    steps: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the steps, each with name and label.',
    },
    trigger: { type: 'json', required: true, description: 'The event that starts the workflow.' },
    version: { type: 'bigint', required: true, description: 'Number of the revision.' },
  },
});
