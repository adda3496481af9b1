import type { Sizes } from './data/source.ts';

/** Ready-made amounts of data. */
export const sandboxSizes = {
  /** Generated and read within seconds; the default. */
  demo: {
    incidents: 3000,
    incident_updates: 6000,
    follow_ups: 1500,
    alerts: 8000,
    escalations: 1000,
    users: 150,
    schedules: 12,
  },
  /** A large account. */
  benchmark: {
    incidents: 30_000,
    incident_updates: 60_000,
    follow_ups: 15_000,
    alerts: 100_000,
    escalations: 10_000,
    users: 1500,
    schedules: 60,
  },
  /** An account on its first day, with nothing but the lists that every account has. */
  empty: {
    incidents: 0,
    incident_updates: 0,
    follow_ups: 0,
    alerts: 0,
    escalations: 0,
    users: 0,
    schedules: 0,
  },
} as const satisfies Record<string, Sizes>;
