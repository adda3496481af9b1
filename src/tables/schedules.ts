import { defineTable } from './table.ts';

export const schedules = defineTable({
  name: 'schedules',
  description: 'One row is an on-call schedule, with its current and next shifts.',
  group: 'On-call',
  path: '/v2/schedules',
  records: 'schedules',
  scope: 'schedules.view',
  // The API accepts 10,000, but leaves next_shifts empty in any page larger than 25.
  paging: { kind: 'pages', pageSize: 25 },
  counted: true,
  events: ['schedule.created', 'schedule.updated', 'schedule.deleted', 'schedule.shift_change'],
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
      description: 'The rotations and their users; a rotation appears once per effective_from.',
      personal: true,
    },
    current_shifts: {
      type: 'json',
      list: true,
      description: 'List of shifts in progress when the schedule was read.',
      personal: true,
    },
    next_shifts: {
      type: 'json',
      list: true,
      description: 'List of shifts after the next changeover, as of when the schedule was read.',
      personal: true,
    },
    holidays_public_config: { type: 'json', description: 'Countries whose public holidays apply.' },
    team_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'Ids of the teams that own the schedule.',
    },
    annotations: { type: 'json', required: true, description: 'Metadata of the schedule, by key.' },
    permalink: { type: 'text', required: true, description: 'Link to the schedule in incident.io.' },
    created_at: { type: 'timestamp', required: true, description: 'When the schedule was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the schedule last changed.' },
  },
});
