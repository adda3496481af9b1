import { defineTable } from './table.ts';

export const workflowRuns = defineTable({
  name: 'workflow_runs',
  description: 'One row is a run of a workflow; cancelled runs are not listed by the API.',
  group: 'Configuration',
  selectedBy: 'all',
  path: '/v2/workflow_runs',
  records: 'workflow_runs',
  scope: 'workflows.view',
  paging: { kind: 'pages', pageSize: 50 },
  counted: true,
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the run.' },
    cancelled_at: { type: 'timestamp', description: 'When the run was cancelled.' },
    enqueued_at: { type: 'timestamp', description: 'When the run was queued.' },
    error: { type: 'text', description: 'Why the run failed.', personal: true },
    incident_id: { type: 'text', description: 'Joins incidents.id; empty for a run on no incident.' },
    incident_reference: { type: 'text', description: 'Reference of the incident, such as INC-123.' },
    progress: {
      type: 'json',
      required: true,
      description: 'List of the steps and how far each has come.',
      personal: true,
    },
    scheduled_at: { type: 'timestamp', required: true, description: 'When the run was due.' },
    workflow_id: { type: 'text', required: true, description: 'Joins workflows.id.' },
    workflow_name: { type: 'text', description: 'Name of the workflow.' },
    workflow_version_id: {
      type: 'text',
      required: true,
      description: 'Id of the version of the workflow that ran.',
    },
    workflow_version_number: {
      type: 'bigint',
      required: true,
      description: 'Number of the version of the workflow that ran.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the run was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the run last changed.' },
  },
});
