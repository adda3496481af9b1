import * as fc from 'fast-check';
import type { FaultRule } from '../../src/sandbox/sandbox.ts';

/** The tables that scenarios use. Together they cover every way of paging, filtering and hiding rows. */
export const played = [
  'incidents',
  'alerts',
  'escalations',
  'follow_ups',
  'incident_updates',
  'users',
] as const;
export type Played = (typeof played)[number];

/** The tables that can be synced incrementally. */
const incremental: Played[] = ['incidents', 'alerts', 'escalations', 'follow_ups'];

/** What can happen to a table or to the account between two runs. */
export const events = ['resync', 'roles', 'upgrade', 'category', 'drift', 'clock back'] as const;

/** How a run goes. "Meanwhile" is between its plan and its commit. */
export const fates = [
  'ends',
  'dies',
  'is committed twice',
  'is committed by two at once',
  'is overtaken',
  'is reset meanwhile',
  'is upgraded meanwhile',
  'loses sight meanwhile',
] as const;

/** What can be wrong with the API's responses. The last, quiet run of a scenario has none of it. */
export const faults = {
  common: [
    { fault: { kind: 'error', status: 500 }, fraction: 0.03 },
    { fault: { kind: 'error', status: 503, retryAfterSeconds: 1 }, fraction: 0.03 },
    { fault: { kind: 'html', status: 502 }, fraction: 0.03 },
    { fault: { kind: 'html', status: 200 }, fraction: 0.03 },
    { fault: { kind: 'reset' }, fraction: 0.03 },
  ],
  'cut off': [
    { fault: { kind: 'cut', framing: 'aborted' }, fraction: 0.05 },
    { fault: { kind: 'cut', framing: 'chunked' }, fraction: 0.05 },
    { fault: { kind: 'cut', framing: 'content-length' }, fraction: 0.05 },
  ],
  'too many': [{ fault: { kind: 'error', status: 429, retryAfterSeconds: 0 }, fraction: 0.15 }],
  stall: [{ fault: { kind: 'stall' }, times: 1 }],
  'cursor refused': [
    { fault: { kind: 'error', status: 404 }, fraction: 0.04, when: ({ params }) => params.has('after') },
    { fault: { kind: 'error', status: 422 }, fraction: 0.04, when: ({ params }) => params.has('after') },
  ],
  'cursor repeated': [
    { fault: { kind: 'repeat-cursor' }, fraction: 0.06, when: ({ params }) => params.has('after') },
  ],
  'ends in mid-air': [
    { fault: { kind: 'no-meta' }, fraction: 0.05 },
    { fault: { kind: 'short', rows: 2, after: 'none' }, fraction: 0.03 },
    { fault: { kind: 'short', rows: 0, after: 'none' }, fraction: 0.03 },
  ],
  short: [{ fault: { kind: 'short', rows: 1, after: 'last-row' }, fraction: 0.1 }],
  'no date': [{ fault: { kind: 'without', headers: 'date' }, fraction: 0.7 }],
  'no identity': [
    { fault: { kind: 'error', status: 403 }, fraction: 0.5, when: ({ path }) => path === '/v1/identity' },
  ],
  'no statuses': [{ fault: { kind: 'error', status: 403 }, fraction: 0.7, table: 'incident_statuses' }],
  'no windows': [
    {
      fault: { kind: 'error', status: 422 },
      fraction: 0.5,
      when: ({ params }) => params.has('created_at[date_range]') && !params.has('after'),
    },
  ],
} as const satisfies { readonly [name: string]: readonly FaultRule[] };

export type Round = {
  readonly minutesBefore: number;
  readonly events: readonly (typeof events)[number][];
  readonly syncMethod: 'full_refresh' | 'incremental';
  /** Whether to sync by created_at, for tables that can. */
  readonly byCreation: boolean;
  readonly faults: readonly (keyof typeof faults)[];
  /** How many rows change before each response. */
  readonly life: number;
  readonly fate: (typeof fates)[number];
  /** The watermark that the schedule remembers. */
  readonly carried: 'nothing' | 'the last' | 'an older one';
  readonly fullReadEveryMinutes: number;
};

/** An account and the runs of its tables, chosen at random. */
export type Scenario = {
  /** The seed of the account, of its changes, and of the decisions within runs. */
  readonly seed: number;
  readonly tables: readonly Played[];
  readonly pageSize: number;
  readonly batchRows: number;
  /** Whether there are enough alerts and escalations for them to be split into windows. */
  readonly large: boolean;
  readonly dateZone: string;
  readonly order: 'oldest' | 'newest';
  /** Whether some alerts and escalations lack `created_at`, so that no filter matches them. */
  readonly undated: boolean;
  /** The time of day when the scenario starts; some cross midnight during a read. */
  readonly minuteOfDay: number;
  readonly rounds: readonly Round[];
  readonly last: 'full_refresh' | 'incremental';
};

const minutes = (...choices: number[]) => fc.constantFrom(...choices);
const seldom = (odds: number) => fc.integer({ min: 1, max: odds }).map((n) => n === 1);
const some = <T>(values: readonly T[], most: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...values], { minLength: 1, maxLength: most }) },
  );

const round: fc.Arbitrary<Round> = fc.record({
  minutesBefore: minutes(0, 1, 3, 4, 6, 30, 300, 1_440, 2_000, 13_000),
  events: some(events, 2),
  syncMethod: fc.constantFrom('incremental', 'incremental', 'incremental', 'incremental', 'full_refresh'),
  byCreation: seldom(8),
  faults: some(Object.keys(faults) as (keyof typeof faults)[], 3),
  life: fc.constantFrom(0, 1, 2, 4),
  fate: fc.oneof(fc.constant('ends' as const), fc.constantFrom(...fates)),
  carried: fc.constantFrom('nothing', 'the last', 'an older one'),
  fullReadEveryMinutes: minutes(1_440, 10_000, 10_000_000),
});

export const scenario: fc.Arbitrary<Scenario> = fc.noBias(
  fc.record({
    seed: fc.nat(1_000_000),
    tables: fc.oneof(
      { weight: 3, arbitrary: fc.subarray(incremental, { minLength: 1, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.subarray([...played], { minLength: 1, maxLength: 3 }) },
    ),
    pageSize: fc.integer({ min: 3, max: 20 }),
    batchRows: fc.integer({ min: 1, max: 60 }),
    large: seldom(10),
    undated: seldom(4),
    dateZone: fc.constantFrom('Z', '+14:00', '-12:00', '+05:30'),
    order: fc.constantFrom('oldest', 'newest'),
    minuteOfDay: minutes(1_430, 1_436, 0, 4, 720),
    rounds: fc.array(round, { minLength: 1, maxLength: 4 }),
    last: fc.constantFrom('full_refresh', 'incremental'),
  }),
);
