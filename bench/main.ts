import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sandboxSizes, sandboxTables } from '../src/sandbox/sandbox.ts';
import { benchIngest } from './ingest.ts';
import { benchSync } from './sync.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const ratio = (a: number, b: number) => (a / b).toFixed(2);

/** What can be measured, and how; machines are noisy, so ratios of one run say more than seconds. */
const benches: { readonly [name: string]: { readonly how: string; readonly run: () => Promise<void> } } = {
  ingest: {
    how: 'bytes of GET /v2/incidents answers → rows → two batches side by side → one committed table, in a process of its own',
    async run() {
      const quarter = await benchIngest(250_000);
      const half = await benchIngest(500_000);
      const whole = await benchIngest(1_000_000);
      for (const { rows, seconds, rowsPerSecond, peakRssBytes } of [quarter, half, whole]) {
        say(
          `${rows} rows: ${seconds.toFixed(1)} s, ${Math.round(rowsPerSecond)} rows/s, peak memory ${mib(peakRssBytes)}`,
        );
      }
      say(
        `memory at 1 M rows over 250 k rows: ${ratio(whole.peakRssBytes, quarter.peakRssBytes)} (to reach: at most 1.20)`,
      );
      say('to reach: 25,000 rows/s at 500 k rows, 1024 MiB at 1 M rows');
    },
  },
  history: {
    how: 'a first sync of the sandbox without limits; events of each history against 6 a batch plus 20 a run',
    async run() {
      const sizes = { ...sandboxSizes.demo, alerts: 50_000, incident_updates: 30_000 };
      const { outcomes, events } = await benchSync({ sizes, limits: 'off' }, sandboxTables);
      for (const outcome of outcomes) {
        if (outcome.status !== 'synced') throw new Error(`${outcome.table} was not synced`);
        const { batches, rows } = outcome.result.read;
        const count = events[outcome.table]!;
        say(
          `${outcome.table}: ${rows} rows, ${batches} batches, ${count} events, ${ratio(count, 6 * batches + 20)} of the bound`,
        );
      }
    },
  },
  demo: {
    how: 'wall time of the command, from start to exit',
    async run() {
      const began = performance.now();
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('../src/cli/main.js', import.meta.url)), 'demo'],
        {
          stdio: 'ignore',
        },
      );
      const [code] = (await once(child, 'close')) as [number];
      if (code !== 0) throw new Error(`the demo ended with ${code}`);
      say(`${((performance.now() - began) / 1_000).toFixed(1)} s`);
    },
  },
  'first-sync': {
    how: 'a large account at the real limits and 150 ms a request; the floor is (requests − 1,200) / 20 a second',
    async run() {
      const { requests, requestSeconds, commitSeconds } = await benchSync(
        { sizes: sandboxSizes.benchmark, latencyMs: 150 },
        sandboxTables,
      );
      // What the API has to be asked at the least: its pages, and one request a list.
      const floor = (2_629 - 1_200) / 20;
      say(
        `${requests} requests, first to last in ${requestSeconds.toFixed(1)} s: ${ratio(requestSeconds, floor)} of the floor (to reach: 1.10)`,
      );
      say(`last request to last commit: ${commitSeconds.toFixed(1)} s (to reach: 10 s)`);
    },
  },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
  const { how, run } = benches[name]!;
  say(`\n${name}: ${how}`);
  await run();
}
