import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import { play, type Seen, type WrongRule } from '../helpers/play.ts';
import { boundsOf } from '../helpers/played-account.ts';
import { type Played, type Round, type Scenario, scenario } from '../helpers/scenario.ts';

/** How many seeds: 50 in every test run, 1,000 in `npm run torture`. */
const seeds = Number(process.env['TORTURE_SEEDS'] ?? 50);
/** Runs only this seed and shrinks the scenario as far as it still fails. */
const one = process.env['PROPERTY_SEED'];

/** What must have happened at least once over all seeds of a test run. */
const everywhere = [
  'change',
  'create',
  'late-change',
  'late-create',
  'silent',
  'category',
  'mode',
  'remove',
  'resync',
  'roles',
  'upgrade',
  'drift',
  'incremental',
  'committed',
  'already_committed',
  'overtaken',
  'died: by lot',
  'an attempt failed',
  'an attempt was given up',
  'a table was cut into windows',
  'a window was cut again',
  'a window was opened again',
  'full read: the declared columns changed',
  'full read: what the key may see changed',
  'the last run a full read',
  'the last run incremental',
];

/** Plays the scenario of a seed. Throws if the tables are wrong, and says how to reproduce it. */
async function playSeed(seed: number, seen: Seen): Promise<void> {
  const property = fc.asyncProperty(scenario, async (drawn) => {
    expect(await play(drawn, seen)).toEqual([]);
  });
  try {
    await fc.assert(property, { seed, numRuns: 1, endOnFailure: one === undefined });
  } catch (cause) {
    const again = `PROPERTY_SEED=${seed} npx vitest run test/system/property.test.ts`;
    throw new Error(`Seed ${seed} fails. Reproduce and shrink it with: ${again}`, { cause });
  }
}

it(
  `tables equal the account after a quiet run, whatever came before (${one ? `seed ${one}` : `${seeds} seeds`})`,
  { timeout: 120_000 + seeds * 20_000 },
  async () => {
    const seen: Seen = new Map();
    if (one !== undefined) return playSeed(Number(one), seen);
    for (let seed = 1; seed <= seeds; seed += 1) await playSeed(seed, seen);
    // If the scenarios no longer reach something, they cannot find its defects either.
    expect(everywhere.filter((what) => !seen.has(what))).toEqual([]);
  },
);

const drawn = (seed: number): Scenario => fc.sample(scenario, { seed, numRuns: 1 })[0]!;

/** Expects that a wrong rule loses rows within a few seeds, in scenarios that the product gets right. */
async function expectFoundOut(scenarioOf: (seed: number) => Scenario, rule: WrongRule): Promise<void> {
  for (let seed = 1; seed <= 10; seed += 1) {
    const wrong = await play(scenarioOf(seed), new Map(), rule);
    if (wrong.length === 0) continue;
    expect(wrong.filter((what) => !/ is missing$| is wrong in /.test(what))).toEqual([]);
    expect(await play(scenarioOf(seed), new Map())).toEqual([]);
    return;
  }
  throw new Error('the tests do not notice the rows that the wrong rule loses');
}

it(
  'notices the rows that are lost if the watermark is the largest updated_at seen',
  { timeout: 300_000 },
  () => {
    const rounds: Round[] = [1, 2].map(() => ({
      minutesBefore: 3,
      events: [],
      syncMethod: 'incremental',
      byCreation: false,
      faults: [],
      life: 2,
      fate: 'ends',
      carried: 'nothing',
      fullReadEveryMinutes: 10_000_000,
    }));
    return expectFoundOut(
      (seed) => ({ ...drawn(seed), tables: ['alerts'], large: false, rounds, last: 'incremental' }),
      {
        plan: (plan, largest) => ({
          ...plan,
          windows: plan.windows.map((window) => ({
            ...window,
            params: window.params.map(([name, value]) => [
              name,
              name === 'updated_at[gte]' ? largest : value,
            ]),
          })),
        }),
      },
    );
  },
);

/** Each window begins one unit after the end of the one before, as if that end were included in it. */
function tiledWrongly(windows: readonly NewWindow[], unitMs: number): NewWindow[] {
  return windows.map((window, index) => {
    const before = windows[index - 1];
    if (!before) return window;
    const start = new Date(boundsOf(before).to! + unitMs).toISOString();
    const from = unitMs === 1 ? start : start.slice(0, 10);
    return {
      ...window,
      params: window.params.map(([name, value]) => {
        if (name === 'created_at[gte]') return [name, from];
        if (name !== 'created_at[date_range]') return [name, value];
        return [name, `${from}~${value.split('~')[1]}`];
      }),
    };
  });
}

it.each<[Played, string, number]>([
  ['alerts', 'a millisecond', 1],
  ['escalations', 'a day', 86_400_000],
])(
  'notices the rows of %s that are lost if windows begin %s after the end of the one before',
  { timeout: 300_000 },
  (table, _, unitMs) =>
    expectFoundOut(
      (seed) => ({ ...drawn(seed), tables: [table], large: true, rounds: [], last: 'full_refresh' }),
      { windows: (windows) => tiledWrongly(windows, unitMs) },
    ),
);
