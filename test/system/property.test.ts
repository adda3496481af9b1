import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import { play, type Seen, type WrongRule } from '../helpers/play.ts';
import { type Round, type Scenario, scenario } from '../helpers/scenario.ts';

/** How many seeds: 50 in every test run, 1,000 in `npm run torture`. */
const seeds = Number(process.env['TORTURE_SEEDS'] ?? 30);
/** Runs only this seed and shrinks the scenario as far as it still fails. */
const one = process.env['PROPERTY_SEED'];

/** Events that must happen at least once over all seeds of a test run. */
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
  'in one step: committed',
  'the same rows were read again',
  'an answer was lost',
  'already_committed',
  'overtaken',
  'died: by lot',
  'an attempt failed',
  'an attempt was given up',
  'a table was read a second time',
  'recount: recounted',
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
  `tables equal the account after a quiet run, regardless of what came before (${one ? `seed ${one}` : `${seeds} seeds`})`,
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

/** Windows by `created_at` in place of pieces of the list: together they are what the filter matches. */
function byTime(windows: readonly NewWindow[]): NewWindow[] {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  return windows.map(({ behind: _behind, until: _until, from, to, ...window }) => {
    const [start, end] = [from ?? Date.parse('2000-01-01'), to ?? Date.parse('2040-01-01')];
    const range = ['created_at[date_range]', `${day(start)}~${day(end + 86_400_000)}`] as const;
    return { ...window, params: [...window.params, range] };
  });
}

it(
  'notices the rows without a time that are lost if a list is cut by a filter on time',
  { timeout: 300_000 },
  () =>
    expectFoundOut(
      (seed) => ({
        ...drawn(seed),
        tables: ['escalations'],
        large: true,
        undated: true,
        rounds: [],
        last: 'full_refresh',
      }),
      { windows: byTime },
    ),
);
