import { sandboxSizes, type Sizes } from '../src/sandbox/sandbox.ts';
import { frequencies, intervalMs } from '../src/settings/settings.ts';
import { tables } from '../src/tables/index.ts';
import type { Figure } from './figures.ts';
import { smallAccount } from './small-account.ts';
import { type Asked, benchSyncs, changes, requestsOf } from './sync.ts';

const dayMs = 86_400_000;

const accounts: { readonly [name: string]: Sizes } = {
  small: smallAccount,
  middle: sandboxSizes.demo,
  large: sandboxSizes.benchmark,
};

const incremental = tables.filter(({ name }) => name in changes);
const others = tables.filter(({ name }) => !(name in changes));

const whole = (chosen: readonly (typeof tables)[number][]): Asked =>
  Object.fromEntries(chosen.map(({ name }) => [name, { syncMethod: 'full_refresh' as const }]));
const first: Asked = { ...changes, ...whole(others) };

/** Requests of runs, counted, and what they come to in a day at each sync frequency, calculated. */
export async function benchRequests(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, sizes] of Object.entries(accounts)) {
    const [, quiet, lists, everything] = await benchSyncs(
      { sizes, limits: 'off', until: new Date().toISOString() },
      [first, changes, whole(others), whole(incremental)],
    );
    const [changesOnly, othersWhole] = [requestsOf(quiet!), requestsOf(lists!)];
    const alertsWhole = everything!.requests['/v2/alerts']!;
    const restWhole = requestsOf(everything!) - alertsWhole;
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
