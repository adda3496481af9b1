import { defineTable } from './table.ts';

export const schedules = defineTable({
  name: 'schedules',
  description: 'One row is an on-call schedule, with the shifts that are on and those that come next.',
  path: '/v2/schedules',
  records: 'schedules',
  scope: 'schedules.view',
  // The API takes 10,000, and leaves next_shifts empty in any page of more than 25.
  paging: { kind: 'pages', pageSize: 25 },
  counted: true,
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the schedule.' },
    name: { type: 'text', required: true, description: 'Name of the schedule.' },
    timezone: {
      type: 'text',
      required: true,
      description: 'Time zone of the schedule, such as Europe/London.',
    },
    config: {
      type: 'json',
      description: 'The rotations and their users; a rotation comes once for each effective_from.',
      personal: true,
    },
    current_shifts: {
      type: 'json',
      description: 'List of the shifts that were on when it was read.',
      personal: true,
    },
    next_shifts: {
      type: 'json',
      description: 'List of the shifts after the next changeover, when it was read.',
      personal: true,
    },
    holidays_public_config: { type: 'json', description: 'Countries whose public holidays apply.' },
    team_ids: {
      type: 'json',
      required: true,
      description: 'List of the ids of the teams that own the schedule.',
    },
    annotations: { type: 'json', required: true, description: 'Metadata kept with the schedule, by key.' },
    permalink: { type: 'text', required: true, description: 'Link to the schedule in incident.io.' },
    created_at: { type: 'timestamp', required: true, description: 'When the schedule was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the schedule last changed.' },
  },
});
