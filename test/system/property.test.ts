import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import { boundsOf, play, type Seen, type WrongRule } from '../helpers/play.ts';
import { type Played, type Round, type Scenario, scenario } from '../helpers/scenario.ts';

/** In every test run; `npm run torture` does 1,000. */
const seeds = Number(process.env['TORTURE_SEEDS'] ?? 50);
/** A seed that failed, alone: what it draws is made as small as it still fails. */
const one = process.env['PROPERTY_SEED'];

/** What has to have happened in all seeds of a test run together. */
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

/** Plays what a seed draws, altered or as it is. Throws where the tables are wrong, and tells how to see it again. */
async function playSeed(seed: number, seen: Seen): Promise<void> {
  const property = fc.asyncProperty(scenario, async (drawn) => {
    expect(await play(drawn, seen)).toEqual([]);
  });
  try {
    await fc.assert(property, { seed, numRuns: 1, endOnFailure: one === undefined });
  } catch (cause) {
    const again = `PROPERTY_SEED=${seed} npx vitest run test/system/property.test.ts`;
    throw new Error(`Seed ${seed} fails. Again, and made smaller: ${again}`, { cause });
  }
}

it(
  `tables equal the account after a quiet run, whatever came before (${one ? `seed ${one}` : `${seeds} seeds`})`,
  { timeout: 120_000 + seeds * 20_000 },
  async () => {
    const seen: Seen = new Map();
    if (one !== undefined) return playSeed(Number(one), seen);
    for (let seed = 1; seed <= seeds; seed += 1) await playSeed(seed, seen);
    // A harness that no longer gets everywhere would find nothing either.
    expect(everywhere.filter((what) => !seen.has(what))).toEqual([]);
  },
);

const drawn = (seed: number): Scenario => fc.sample(scenario, { seed, numRuns: 1 })[0]!;

/** Expects a wrong rule to be found out within a few seeds by scenarios that the product gets right. */
async function expectFoundOut(scenarioOf: (seed: number) => Scenario, rule: WrongRule): Promise<void> {
  for (let seed = 1; seed <= 10; seed += 1) {
    const wrong = await play(scenarioOf(seed), new Map(), rule);
    if (wrong.length === 0) continue;
    expect(wrong.filter((what) => !/ is missing$| is wrong in /.test(what))).toEqual([]);
    expect(await play(scenarioOf(seed), new Map())).toEqual([]);
    return;
  }
  throw new Error('the rows it loses are not missed');
}

it('misses the rows that a watermark of the largest updated_at seen loses', { timeout: 300_000 }, () => {
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
          params: window.params.map(([name, value]) => [name, name === 'updated_at[gte]' ? largest : value]),
        })),
      }),
    },
  );
});

/** Each window begins one unit behind the end of the one before, as if that end were part of it. */
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
  'misses the rows of %s that windows lose which begin %s behind the end of the one before',
  { timeout: 300_000 },
  (table, _, unitMs) =>
    expectFoundOut(
      (seed) => ({ ...drawn(seed), tables: [table], large: true, rounds: [], last: 'full_refresh' }),
      { windows: (windows) => tiledWrongly(windows, unitMs) },
    ),
);
