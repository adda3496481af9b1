import { sandboxSizes, type Sizes } from '../src/sandbox/sandbox.ts';
import { frequencies, intervalMs } from '../src/settings/settings.ts';
import { tablesByHand } from '../src/sandbox/sizes.ts';
import { tables } from '../src/tables/index.ts';
import type { Figure } from './figures.ts';
import { smallAccount } from './small-account.ts';
import { type Asked, benchSyncs, changes, requestsOf } from './sync.ts';

const dayMs = 86_400_000;

const accounts: { readonly [name: string]: Sizes } = {
  small: smallAccount,
  medium: sandboxSizes.demo,
  large: sandboxSizes.benchmark,
};

/** The tables that people wait for; the figures of others follow from the number of their parents. */
const twelve = tables.filter(({ name }) => tablesByHand.includes(name));
const incremental = twelve.filter(({ name }) => name in changes);
const others = twelve.filter(({ name }) => !(name in changes));
/** A cycle with every table's default, and one that reads the whole list of incident_updates. */
const cycle: Asked = Object.fromEntries(twelve.map(({ name }) => [name, undefined]));
const cycleByLists: Asked = { ...cycle, ...whole(twelve.filter(({ changesBy }) => changesBy)) };

function whole(chosen: readonly (typeof tables)[number][]): Asked {
  return Object.fromEntries(chosen.map(({ name }) => [name, { syncMethod: 'full_refresh' as const }]));
}
const changesOf12: Asked = Object.fromEntries(incremental.map(({ name }) => [name, changes[name]]));
const first: Asked = { ...changesOf12, ...whole(others) };

/** The requests of a run, counted, and per day at each sync frequency, calculated. */
export async function benchRequests(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, sizes] of Object.entries(accounts)) {
    const [, quiet, lists, everything, , byChange, byLists] = await benchSyncs(
      { sizes, limits: 'off', until: new Date().toISOString() },
      // The first cycle sees a version of incidents; the second reads by what has changed since then.
      [first, changesOf12, whole(others), whole(incremental), cycle, cycle, cycleByLists],
    );
    const [changesOnly, othersWhole] = [requestsOf(quiet!), requestsOf(lists!)];
    const alertsWhole = everything!.requests['/v2/alerts']!;
    const restWhole = requestsOf(everything!) - alertsWhole;
    figures.push(
      { what: `${name}: incremental tables, nothing changed`, measured: `${changesOnly} requests` },
      { what: `${name}: full read of the other tables`, measured: `${othersWhole} requests` },
      {
        what: `${name}: a cycle of the first twelve tables, nothing changed`,
        measured: `${requestsOf(byChange!)} requests, ${requestsOf(byLists!)} with the list of incident_updates`,
      },
      {
        what: `${name}: full read of the incremental tables`,
        measured: `${alertsWhole + restWhole} requests`,
      },
    );
    for (const every of frequencies.filter((frequency) => intervalMs(frequency) <= dayMs)) {
      const runs = dayMs / intervalMs(every);
      // The defaults: the other tables every six hours, a full read of all tables every day, of alerts every week.
      const byChanges = runs * changesOnly + 4 * othersWhole + restWhole + alertsWhole / 7;
      const byFullReads = runs * (othersWhole + alertsWhole + restWhole);
      figures.push({
        what: `${name}: per day, every ${every}`,
        measured: `${Math.round(byChanges)} incremental, ${Math.round(byFullReads)} with full reads only`,
      });
    }
  }
  return figures;
}
