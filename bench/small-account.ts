import type { Sizes } from '../src/sandbox/sandbox.ts';

/** An account a few weeks old. */
export const smallAccount: Sizes = {
  incidents: 200,
  incident_updates: 400,
  follow_ups: 100,
  alerts: 500,
  escalations: 50,
  users: 30,
  schedules: 5,
};
