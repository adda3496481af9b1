import { workflows } from '../workflows.ts';
import { defineNested, joins, position } from './nested.ts';

export const workflowSteps = defineNested({
  name: 'workflow_steps',
  description: 'One row is a step that a workflow takes.',
  itemsOf: { table: workflows, path: 'steps[]', by: ['workflow_id'], position: 'position' },
  primaryKey: ['workflow_id', 'position'],
  columns: {
    workflow_id: joins('workflows'),
    position,
    name: { type: 'text', description: 'Which step it is, for programs, such as slack.send_message.' },
    label: { type: 'text', description: 'The step as people see it.' },
  },
});
