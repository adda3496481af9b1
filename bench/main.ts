import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sandboxSizes, sandboxTables } from '../src/sandbox/sandbox.ts';
import { benchIngest } from './ingest.ts';
import { benchSync } from './sync.ts';
import { benchUpkeep, type UpkeepSample } from './upkeep.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const tenths = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const ratio = (a: number, b: number) => (a / b).toFixed(2);

/** What can be measured, and how; machines are noisy, so ratios of one run say more than seconds. */
const benches: { readonly [name: string]: { readonly how: string; readonly run: () => Promise<void> } } = {
  ingest: {
    how: 'texts of GET /v2/incidents pages → parse → two batches side by side → one committed table, in a process of its own',
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
  upkeep: {
    how: '35 days of runs every five minutes, played: each changes a few rows of a table of 10,000; what grows, and what levels off',
    async run() {
      const samples: UpkeepSample[] = [];
      const { versions, upkeeps, seconds } = await benchUpkeep({ days: 35, everyMinutes: 5 }, (sample) => {
        samples.push(sample);
        if (sample.day < 12 ? sample.day % 3 === 0 : sample.day % 5 === 0) say(upkeepLine(sample));
      });
      say(`${versions} versions, ${upkeeps} runs with upkeep, played in ${seconds.toFixed(0)} s`);
      // A file is listed for two days longer than it stays, and a day is cleaned at once: by then all has come once.
      const [level, last] = [samples.find(({ day }) => day === 12)!, samples.at(-1)!];
      const levels: readonly [string, (sample: UpkeepSample) => number][] = [
        ['files of the log', ({ logFiles }) => logFiles],
        ['bytes of the log', ({ logBytes }) => logBytes],
        ['data files', ({ dataFiles }) => dataFiles],
        ['data bytes', ({ dataBytes }) => dataBytes],
        ['bytes of a checkpoint', ({ checkpointBytes }) => checkpointBytes],
        ['requests to open it', ({ lists, reads }) => lists + reads],
      ];
      for (const [what, of] of levels) {
        say(`${what}: day ${last.day} over day ${level.day} is ${ratio(of(last), of(level))}`);
      }
      const growth = (last.liveBytes - level.liveBytes) / (last.day - level.day);
      const year = last.logBytes + last.dataBytes + growth * (365 - last.day);
      say(
        `after a year: about ${Math.round((365 / last.day) * versions)} versions made, ${last.logFiles} files of the log and ${last.dataFiles} data files as on day ${last.day}, ${tenths(year)} (live rows grow by ${(growth / 1_024).toFixed(1)} KiB a day)`,
      );
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

function upkeepLine(sample: UpkeepSample): string {
  const { day, version, rows, logFiles, logBytes, dataFiles, dataBytes, liveFiles, liveBytes } = sample;
  return [
    `day ${day}: version ${version}, ${rows} rows`,
    `log ${logFiles} files, ${tenths(logBytes)}`,
    `data ${dataFiles} files, ${tenths(dataBytes)}, of which ${liveFiles} live, ${tenths(liveBytes)}`,
    `checkpoint ${Math.round(sample.checkpointBytes / 1_024)} KiB`,
    `to open it ${sample.lists} lists and ${sample.reads} reads, ${sample.openMs.toFixed(0)} ms`,
  ].join('; ');
}

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
