import { workflowRuns } from '../workflow-runs.ts';
import { defineNested, joins, position } from './nested.ts';

export const workflowRunSteps = defineNested({
  name: 'workflow_run_steps',
  description: 'One row is a step of a run of a workflow, and how it ended.',
  itemsOf: { table: workflowRuns, path: 'progress[]', by: ['workflow_run_id'], position: 'position' },
  primaryKey: ['workflow_run_id', 'position'],
  columns: {
    workflow_run_id: joins('workflow_runs'),
    position,
    step: { type: 'text', description: 'The step.' },
    status: { type: 'text', description: 'How the step ended, or where it is.' },
    error: { type: 'text', description: 'Why the step failed.', personal: true },
    completed_at: { type: 'timestamp', description: 'When the step ended.' },
    incident_id: joins('incidents'),
    incident_reference: { type: 'text', description: 'Reference of the incident, such as INC-123.' },
    webhook_delivery_state: { type: 'text', description: 'How the delivery of a webhook ended.' },
    webhook_delivery: {
      type: 'json',
      description: 'The delivery of a webhook: method, status code and duration.',
      personal: true,
    },
  },
});
