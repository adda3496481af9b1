import { sandboxSizes, type Sizes } from '../src/sandbox/sandbox.ts';
import { defaultTableSettings, frequencies, intervalMs } from '../src/settings.ts';
import { tables } from '../src/tables/index.ts';
import type { Figure } from './figures.ts';
import { type Asked, benchSyncs, type SyncFigures } from './sync.ts';

const dayMs = 86_400_000;

const accounts: { readonly [name: string]: Sizes } = {
  small: {
    incidents: 200,
    incident_updates: 400,
    follow_ups: 100,
    alerts: 500,
    escalations: 50,
    users: 30,
    schedules: 5,
  },
  middle: sandboxSizes.demo,
  large: sandboxSizes.benchmark,
};

/** Tables that are kept current by their changes, and the others. */
const incremental = tables.filter((table) => defaultTableSettings(table).sync === 'incremental');
const others = tables.filter((table) => !incremental.includes(table));

const whole = (chosen: readonly (typeof tables)[number][]): Asked =>
  Object.fromEntries(chosen.map(({ name }) => [name, { method: 'full_refresh' as const }]));
const changes: Asked = Object.fromEntries(
  incremental.map(({ name, incrementalFields }) => [
    name,
    { method: 'incremental' as const, incrementalField: incrementalFields[0]! },
  ]),
);
const first: Asked = { ...changes, ...whole(others) };

/** Requests of runs, counted, and what they come to in a day at each sync frequency, calculated. */
export async function benchRequests(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, sizes] of Object.entries(accounts)) {
    const [, quiet, lists, everything] = await benchSyncs(
      { sizes, limits: 'off', until: new Date().toISOString() },
      [first, changes, whole(others), whole(incremental)],
    );
    const [changesOnly, othersWhole] = [sum(quiet!), sum(lists!)];
    const alertsWhole = everything!.requests['/v2/alerts']!;
    const restWhole = sum(everything!) - alertsWhole;
    figures.push(
      { what: `${name}: changes, where there are none`, measured: `${changesOnly} requests` },
      { what: `${name}: the other tables, whole`, measured: `${othersWhole} requests` },
      { what: `${name}: those kept by changes, whole`, measured: `${alertsWhole + restWhole} requests` },
    );
    for (const every of frequencies.filter((frequency) => intervalMs(frequency) <= dayMs)) {
      const runs = dayMs / intervalMs(every);
      // The defaults: everything else every six hours, all of it once a day, alerts once a week.
      const byChanges = runs * changesOnly + 4 * othersWhole + restWhole + alertsWhole / 7;
      const byFullReads = runs * (othersWhole + alertsWhole + restWhole);
      figures.push({
        what: `${name}: a day, every ${every}`,
        measured: `${Math.round(byChanges)} by changes, ${Math.round(byFullReads)} whole`,
      });
    }
  }
  return figures;
}

function sum({ requests }: SyncFigures): number {
  return Object.values(requests).reduce((total, count) => total + count, 0);
}
