import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sandboxSizes } from '../src/sandbox/sandbox.ts';
import { tables } from '../src/tables/index.ts';
import { commandFigures } from './commands.ts';
import { fairTurns } from './fair-turns.ts';
import { type Figure, mib, tableOf } from './figures.ts';
import { benchIngest, type IngestFigures } from './ingest.ts';
import { benchIdleWorkers } from './idle-workers.ts';
import { monthFigures } from './month.ts';
import { platformFigures } from './platforms.ts';
import { benchRequests } from './requests.ts';
import { type Asked, benchSyncs, changes, requestsOf, type SyncFigures } from './sync.ts';
import { usualTables } from '../test/helpers/usual-tables.ts';
import { scale } from './scale-run.ts';
import { upkeepFigures } from './upkeep.ts';
import { benchWebhooks } from './webhooks.ts';
import { benchWorkers } from './workers.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
/** The same twelve tables as ever, so that figures can be compared with earlier ones. */
const everything: Asked = Object.fromEntries(usualTables.map((table) => [table, undefined]));
const ofThem = ([table]: [string, unknown]) => table in everything;
const quietRuns = { connections: 3, every: 12, seeded: false, minutes: 2, processes: 1, tables: usualTables };
const changesOfThem: Asked = Object.fromEntries(Object.entries(changes).filter(ofThem));

/** What can be measured, and how. Machines are noisy: compare the ratios of one run rather than seconds. */
const benches: { readonly [name: string]: { readonly how: string; readonly run: () => Promise<Figure[]> } } =
  {
    ingest: {
      how: 'responses of GET /v2/incidents as bytes → rows → two parallel batches → one committed table; each size in its own process, median of three runs; all rows different',
      async run() {
        const { sizes, duckDbPerRow } = await benchIngest([250_000, 500_000, 1_000_000]);
        const [quarter, half, whole] = sizes as [IngestFigures, IngestFigures, IngestFigures];
        const rate = ({ rows, seconds }: IngestFigures) => rows / seconds;
        return [
          ...sizes.map((size) => ({
            what: `${size.rows} rows`,
            measured: `${Math.round(rate(size))} rows/s in ${size.seconds.toFixed(1)} s`,
            ...(size === half && { reach: '≥ 25000 rows/s', ratio: rate(size) / 25_000 }),
          })),
          {
            what: 'processor time per row',
            measured: `${half.cpuPerRow.toFixed(1)} µs`,
          },
          {
            what: 'the same, compared to DuckDB alone',
            measured: `${duckDbPerRow.toFixed(1)} µs`,
            reach: '≤ 2.10',
            ratio: half.cpuPerRow / duckDbPerRow,
          },
          {
            what: 'peak memory at 1 M rows',
            measured: mib(whole.peakRssBytes),
            // Half of what the first build took.
            reach: '≤ 394 MiB',
            ratio: whole.peakRssBytes / (394 * 2 ** 20),
          },
          {
            what: 'peak memory at 1 M rows, compared to 250 k rows',
            measured: mib(quarter.peakRssBytes),
            reach: '≤ 1.20',
            ratio: whole.peakRssBytes / quarter.peakRssBytes,
          },
        ];
      },
    },
    month: {
      how: 'first sync of 100,000 alerts in windows side by side, then the row groups that a reader cannot skip for one month in the middle, by the statistics of created_at',
      run: monthFigures,
    },
    history: {
      how: 'first sync of the sandbox without rate limits: events in each history, against 6 per batch plus 20 per run',
      async run() {
        const sizes = { ...sandboxSizes.demo, alerts: 50_000, incident_updates: 30_000 };
        const [first] = await benchSyncs({ sizes, limits: 'off' }, [everything]);
        return first!.outcomes.map(({ table, result: { read } }) => {
          const bound = 6 * read.batches + 20;
          const events = first!.events[table]!;
          return {
            what: `${table}: ${read.rows} rows, ${read.batches} batches`,
            measured: `${events} events`,
            reach: `≤ ${bound}`,
            ratio: events / bound,
          };
        });
      },
    },
    demo: {
      how: 'wall time of the demo command, from start to exit',
      async run() {
        const began = performance.now();
        const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
        const child = spawn(process.execPath, [main, 'demo'], { stdio: 'ignore' });
        const [code] = (await once(child, 'close')) as [number];
        if (code !== 0) throw new Error(`the demo ended with ${code}`);
        return [{ what: 'demo', measured: `${((performance.now() - began) / 1_000).toFixed(1)} s` }];
      },
    },
    'first-sync': {
      how: 'first sync of a large account, twelve tables, at the real rate limits and 150 ms per request; the floor is (requests − 1,200) / 20 seconds',
      async run() {
        const [first] = await benchSyncs({ sizes: sandboxSizes.benchmark, latencyMs: 150 }, [everything]);
        const { requestSeconds, commitSeconds } = first!;
        // The fewest requests that can read this account: its pages, and one per short list.
        const least = 2_629;
        const floor = (least - 1_200) / 20;
        return [
          {
            what: 'requests',
            measured: String(requestsOf(first!)),
            reach: `≥ ${least}`,
            ratio: requestsOf(first!) / least,
          },
          {
            what: 'first to last request',
            measured: `${requestSeconds.toFixed(1)} s`,
            reach: `≤ 1.05 × the floor of ${floor} s`,
            ratio: requestSeconds / floor,
          },
          {
            what: 'last request to last commit',
            measured: `${commitSeconds.toFixed(1)} s`,
            reach: '≤ 10 s',
            ratio: commitSeconds / 10,
          },
        ];
      },
    },
    workers: {
      how: 'the same without nested tables, at 100 to 150 ms per request, by one worker process and by four that only see each other through rate limit headers and 429s; use of the rate limit = floor of the successful requests / time taken',
      async run() {
        const figures: Figure[] = [];
        for (const count of [1, 4]) {
          const { asked, used } = await benchWorkers(count);
          const { paths, refused, seconds } = asked;
          const cpu = used.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0);
          const use = (requestsOf({ requests: paths }) - 1_200) / 20 / seconds;
          const who = count === 1 ? 'one worker' : `${count} workers`;
          figures.push(
            { what: `${who}: first to last request`, measured: `${seconds.toFixed(1)} s` },
            {
              what: `${who}: requests`,
              measured: `${requestsOf({ requests: paths })}, and ${refused} refused (429)`,
            },
            {
              what: `${who}: use of the rate limit`,
              measured: use.toFixed(3),
              reach: '≥ 0.90',
              ratio: use / 0.9,
            },
            {
              what: `${who}: peak memory of a process`,
              measured: mib(Math.max(...used.map(({ peakBytes }) => peakBytes))),
            },
            { what: `${who}: CPU time in total`, measured: `${cpu.toFixed(1)} s` },
          );
        }
        return figures;
      },
    },
    'nothing-new': {
      how: 'an account with rows up to now, read in full and then synced twice by changes: requests of the last sync by path; the bound per table is its passes or the pages of its overlap, plus three',
      async run() {
        const options = { limits: 'off', until: new Date().toISOString() } as const;
        const [, , quiet] = await benchSyncs(options, [everything, changesOfThem, changesOfThem]);
        const bounds = quiet!.outcomes.map(({ table, result: { read } }) => {
          const passes = tables.find(({ name }) => name === table)!.passes?.values.length ?? 1;
          return Math.max(passes, read.pages) + 3;
        });
        const bound = bounds.reduce((total, most) => total + most, 0);
        return [
          ...pathFigures(quiet!),
          {
            what: 'all requests, against the bound',
            measured: String(requestsOf(quiet!)),
            reach: `≤ ${bound}`,
            ratio: requestsOf(quiet!) / bound,
          },
          ...quiet!.outcomes.map(({ table, result: { read, changes: became } }) => ({
            what: `${table}: rows in the overlap`,
            measured: `${read.rows} read, ${(became?.inserted ?? 0) + (became?.updated ?? 0)} written`,
          })),
        ];
      },
    },
    'quiet-runs': {
      how: 'scheduled runs of three connections with twelve tables each that find nothing new, every 12 seconds for two minutes: what a run costs the worker and the development server',
      run: () => scale(quietRuns),
    },
    commands: {
      how: 'processor time of commands, mean of seven processes; status next to an up that serves twelve tables',
      run: () => commandFigures(fileURLToPath(new URL('../src/cli/main.js', import.meta.url))),
    },
    'idle-workers': {
      how: 'memory of a process that serves two hundred connections with nothing to do: with a worker for each, as a platform without a pool does, and with one for all',
      run: benchIdleWorkers,
    },
    'fair-turns': {
      how: 'quiet runs of twenty connections, alone and while the same worker reads 200,000 alerts of another connection for the first time; from start to end, the wait for a worker included',
      run: fairTurns,
    },
    requests: {
      how: 'requests per run on a small, a medium and a large account, counted; requests per day at each sync frequency, calculated',
      run: benchRequests,
    },
    'empty-account': {
      how: 'an account on its first day, all tables, synced twice; requests of the second sync by path',
      async run() {
        const [, again] = await benchSyncs({ sizes: sandboxSizes.empty, limits: 'off' }, [
          everything,
          everything,
        ]);
        return pathFigures(again!);
      },
    },
    platforms: {
      how: 'a read of Airbyte’s on one core: all default tables with nothing new, against an API that answers at once; 500,000 incidents of about 2 kB out of a table; the same rows by a source made with Airbyte’s CDK, if npm run test:platforms has installed it',
      run: platformFigures,
    },
    webhooks: {
      how: 'five incremental tables of a demo account at the real rate limits and 100 ms per request, whose webhooks one worker takes: 60 changes at random moments, then 10,000 in a minute; a row is looked for in the table every 50 ms',
      run: benchWebhooks,
    },
    upkeep: {
      how: '35 simulated days with a run every five minutes, each of which changes a few rows of a table of 10,000: what keeps growing, and what levels off',
      run: () => upkeepFigures({ days: 35, everyMinutes: 5 }),
    },
  };

function pathFigures(figures: SyncFigures): Figure[] {
  const paths = Object.entries(figures.requests).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...paths.map(([path, count]) => ({ what: `GET ${path}`, measured: String(count) })),
    { what: 'all requests', measured: String(requestsOf(figures)) },
  ];
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`Unknown benchmark ${unknown.join(', ')}. Choose from ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : Object.keys(benches);
const withTarget: Figure[] = [];
for (const name of names) {
  const { how, run } = benches[name]!;
  say(`\n${name}: ${how}\n`);
  const figures = await run();
  say(tableOf(figures));
  for (const figure of figures) {
    if (figure.reach !== undefined) withTarget.push({ ...figure, what: `${name}: ${figure.what}` });
  }
}
if (names.length > 1) say(`\nAll figures with a target:\n\n${tableOf(withTarget)}`);
