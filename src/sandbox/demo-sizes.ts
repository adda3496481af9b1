import type { Sizes } from './data/source.ts';

/** Generated and read within seconds. */
export const demoSizes = {
  incidents: 3000,
  incident_updates: 6000,
  follow_ups: 1500,
  alerts: 8000,
  escalations: 1000,
  users: 150,
  schedules: 12,
} as const satisfies Sizes;
