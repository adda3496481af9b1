import { defineTable } from './table.ts';

export const escalationPaths = defineTable({
  name: 'escalation_paths',
  description: 'One row is an escalation path: who an escalation reaches, and in which order.',
  group: 'On-call',
  path: '/v2/escalation_paths',
  records: 'escalation_paths',
  scope: 'escalation_paths.view',
  paging: { kind: 'pages', pageSize: 25 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the escalation path.' },
    current_responders: {
      type: 'json',
      list: true,
      description: 'List of the users on call for the path at the moment it was read.',
      personal: true,
      volatile: true,
    },
    kind: {
      type: 'text',
      required: true,
      description: 'Whether the path has its own levels or comes from a template: standalone or templated.',
    },
    name: { type: 'text', required: true, description: 'Name of the path.' },
    param_bindings: { type: 'json', description: 'Values given to the parameters of the template.' },
    path: {
      type: 'json',
      list: true,
      required: true,
      description: 'Tree of the levels and branches; empty for a path that comes from a template.',
      personal: true,
    },
    repeat_config: { type: 'json', description: 'How the path is repeated when nobody responds.' },
    team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the teams that own the path.',
    },
    template_id: { type: 'text', description: 'Joins escalation_path_templates.id.' },
    working_hours: {
      type: 'json',
      list: true,
      description: 'Working hours that branches of the path refer to.',
    },
  },
});
