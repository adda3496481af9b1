import { defineTable } from './table.ts';

export const escalationPathTemplates = defineTable({
  name: 'escalation_path_templates',
  description: 'One row is a template of escalation paths; inactive templates are not listed by the API.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/escalation_path_templates',
  records: 'escalation_path_templates',
  scope: 'escalation_path_templates.view',
  paging: { kind: 'pages', pageSize: 25 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the template.' },
    description: { type: 'text', description: 'What the template is for.' },
    expressions: {
      type: 'json',
      list: true,
      required: true,
      description: 'Expressions that the template uses.',
    },
    has_historical_escalation_path_versions: {
      type: 'boolean',
      required: true,
      description: 'Whether an earlier version of an escalation path uses the template.',
    },
    name: { type: 'text', required: true, description: 'Name of the template.' },
    params: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the parameters a path has to give.',
    },
    path: { type: 'json', list: true, required: true, description: 'Tree of the levels and branches.' },
    repeat_config: { type: 'json', description: 'How a path is repeated when nobody responds.' },
    working_hours: { type: 'json', list: true, description: 'Working hours that branches refer to.' },
  },
});
