import { schedules } from '../schedules.ts';
import { defineNested, joins, position } from './nested.ts';

const rotationId = {
  type: 'text',
  description: 'Id of the rotation. One rotation has several rows if its rules change at some time.',
} as const;

/** What a row for something inside a rotation takes from the rotation. */
const ofRotation = {
  itemsOf: {
    outerPosition: 'rotation_position',
    outer: { rotation_id: ['id'], effective_from: ['effective_from'] },
  },
  columns: {
    rotation_position: { type: 'bigint', description: 'Joins schedule_rotations.position.' },
    rotation_id: rotationId,
    effective_from: {
      type: 'timestamp',
      description: 'When this version of the rotation starts to apply; empty if it always has.',
    },
  },
} as const;

export const scheduleRotations = defineNested({
  name: 'schedule_rotations',
  description: 'One row is a version of a rotation of a schedule: who takes turns, and when they hand over.',
  itemsOf: { table: schedules, path: 'config.rotations[]', by: ['schedule_id'], position: 'position' },
  // The position, because an id occurs once for each version of the rotation.
  primaryKey: ['schedule_id', 'position'],
  columns: {
    schedule_id: joins('schedules'),
    position,
    rotation_id: { ...rotationId, from: ['id'] },
    name: { type: 'text', description: 'Name of the rotation.' },
    effective_from: {
      type: 'timestamp',
      description: 'When this version starts to apply; empty if it always has.',
    },
    handover_start_at: {
      type: 'timestamp',
      description: 'The first handover, from which the others are counted.',
    },
    scheduling_mode: { type: 'text', description: 'How shifts are distributed.' },
    handovers: { type: 'json', description: 'List of the lengths of the shifts.' },
    layers: { type: 'json', description: 'List of the layers; schedule_rotation_layers has a row for each.' },
    users: {
      type: 'json',
      description: 'List of the users; schedule_rotation_users has a row for each.',
      personal: true,
    },
    working_interval: { type: 'json', description: 'List of the hours in which the rotation is on call.' },
    working_intervals: { type: 'json', description: 'The same list under its newer name.' },
  },
});

export const scheduleRotationLayers = defineNested({
  name: 'schedule_rotation_layers',
  description:
    'One row is a layer of a rotation: as many people are on call at the same time as it has layers.',
  itemsOf: {
    table: schedules,
    path: 'config.rotations[].layers[]',
    by: ['schedule_id'],
    position: 'position',
    ...ofRotation.itemsOf,
  },
  primaryKey: ['schedule_id', 'rotation_position', 'position'],
  columns: {
    schedule_id: joins('schedules'),
    ...ofRotation.columns,
    position,
    layer_id: { type: 'text', description: 'Id of the layer.', from: ['id'] },
    name: { type: 'text', description: 'Name of the layer.' },
  },
});

export const scheduleRotationUsers = defineNested({
  name: 'schedule_rotation_users',
  description: 'One row is a user in a rotation; position is the order in which they take turns.',
  itemsOf: {
    table: schedules,
    path: 'config.rotations[].users[]',
    by: ['schedule_id'],
    position: 'position',
    ...ofRotation.itemsOf,
  },
  // A user may be in the order twice.
  primaryKey: ['schedule_id', 'rotation_position', 'position'],
  columns: {
    schedule_id: joins('schedules'),
    ...ofRotation.columns,
    position,
    user_id: joins('users', ['id']),
    name: { type: 'text', description: 'Name of the user.', personal: true },
    email: { type: 'text', description: 'Email address of the user.', personal: true },
    role: { type: 'text', description: 'Role of the user in incident.io.' },
    slack_user_id: { type: 'text', description: 'Id of the user in Slack.', personal: true },
  },
});

export const scheduleCurrentShifts = defineNested({
  name: 'schedule_current_shifts',
  description: 'One row is a shift that was in progress when the schedule was read.',
  itemsOf: { table: schedules, path: 'current_shifts[]', by: ['schedule_id'], position: 'position' },
  primaryKey: ['schedule_id', 'position'],
  columns: {
    schedule_id: joins('schedules'),
    position,
    rotation_id: { type: 'text', description: 'Joins schedule_rotations.rotation_id.' },
    layer_id: { type: 'text', description: 'Joins schedule_rotation_layers.layer_id.' },
    entry_id: { type: 'text', description: 'Id of the entry of the schedule, if it has one.' },
    fingerprint: { type: 'text', description: 'Identifies the same shift in later readings.' },
    user_id: joins('users', ['user', 'id']),
    user_name: {
      type: 'text',
      description: 'Name of the user on call.',
      from: ['user', 'name'],
      personal: true,
    },
    start_at: { type: 'timestamp', description: 'When the shift began.' },
    end_at: { type: 'timestamp', description: 'When the shift ends.' },
  },
});

export const scheduleTeams = defineNested({
  name: 'schedule_teams',
  description: 'One row is a team of a schedule.',
  itemsOf: { table: schedules, path: 'team_ids[]', by: ['schedule_id'] },
  primaryKey: ['schedule_id', 'team_id'],
  columns: { schedule_id: joins('schedules'), team_id: joins('teams', ['value']) },
});
