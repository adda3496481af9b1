import { expect, it } from 'vitest';
import { nearest } from '../../src/nearest.ts';

const tables = ['alerts', 'escalations', 'follow_ups', 'incidents', 'incident_updates', 'users'];

it.each([
  ['incidnts', 'incidents'],
  ['followups', 'follow_ups'],
  ['user', 'users'],
  ['Users', 'users'],
])('takes %s for a slip', (word, meant) => {
  expect(nearest(word, tables)).toBe(meant);
});

it.each(['statuses', 'pages', 'x', ''])('suggests nothing for %j, which is near no table', (word) => {
  expect(nearest(word, tables)).toBeUndefined();
});
