import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Client } from '@temporalio/client';
import type { syncTable } from '../workflows/sync-table.ts';
import { tableNamed } from '../src/tables/index.ts';
import { connectDevServer } from '../src/temporal/connection.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { inputOf } from '../src/connections/runs/input.ts';
import { tableWorkflowId, destinationQueue } from '../src/temporal/names.ts';
import { quietRuntime } from '../src/serving/runtime.ts';
import { serveWhile } from '../src/serving/serve.ts';
import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';
import { startSandboxProcess } from './sandbox-process.ts';

/** The process at one moment. Memory in bytes; the heap after a garbage collection. */
type Sample = {
  readonly run: number;
  readonly rss: number;
  readonly heap: number;
  /** The number of events in that run's history. */
  readonly events: number;
  readonly seconds: number;
};

const keyVariable = 'INCIDENT_IO_BENCH_KEY';
const table = 'severities';
const samples = 50;

// Exposes gc to contexts that are created from now on. Without a collection, the size of the heap is arbitrary.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Syncs a small table `count` times in succession in one worker, and samples what could grow. */
async function quickRuns(count: number): Promise<Sample[]> {
  const destination = await mkdtemp(join(tmpdir(), 'bench-runs-'));
  const sandbox = await startSandboxProcess({ limits: 'off' });
  process.env[keyVariable] = sandbox.keys[0];
  quietRuntime();
  const access = await connectDevServer(
    await useTemporaryDevServer({ env: process.env, report: console.error }),
  );
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  const taskQueue = destinationQueue(destination);
  try {
    return await serveWhile({ access, warehouse, taskQueue }, async ({ client }) => {
      const taken: Sample[] = [];
      const every = Math.max(1, Math.floor(count / samples));
      for (let run = 1; run <= count; run += 1) {
        const sample = await oneRun(client, destination, taskQueue, sandbox.url);
        if (run % every === 0) {
          collect();
          const { rss, heapUsed } = process.memoryUsage();
          taken.push({ run, rss, heap: heapUsed, ...(await sample()) });
        }
      }
      return taken;
    });
  } finally {
    await warehouse.close();
    await access.close();
    sandbox.stop();
    await rm(destination, { recursive: true, force: true });
  }
}

/** Syncs the table once. Returns a function that looks up the run's figures, which only a sample needs. */
async function oneRun(client: Client, destination: string, taskQueue: string, baseUrl: string) {
  const source = { apiKey: { env: keyVariable }, baseUrl, account: 'unknown', giveUpAfterMinutes: 1 };
  const handle = await client.workflow.start<typeof syncTable>('syncTable', {
    workflowId: tableWorkflowId(destination, table),
    taskQueue,
    args: [inputOf(tableNamed(table), source)],
  });
  const { seconds } = await handle.result();
  return async () => ({ seconds, events: (await handle.describe()).historyLength });
}

/** Growth per thousand runs, by least squares. */
function slope(taken: readonly Sample[], value: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number) =>
    taken.reduce((sum, sample) => sum + of(sample), 0) / taken.length;
  const [x, y] = [mean(({ run }) => run), mean(value)];
  const over = taken.reduce((sum, sample) => sum + (sample.run - x) * (value(sample) - y), 0);
  return (1_000 * over) / taken.reduce((sum, sample) => sum + (sample.run - x) ** 2, 0);
}

const count = Number(process.argv[2] ?? 2_000);
if (!Number.isSafeInteger(count) || count < 10) {
  console.error(`The number of runs must be at least 10, not ${process.argv[2]}.`);
  process.exit(2);
}
const taken = await quickRuns(count);
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const measures: readonly [string, (sample: Sample) => number, (value: number) => string][] = [
  ['resident memory', ({ rss }) => rss, mib],
  ['heap', ({ heap }) => heap, mib],
  ['history events', ({ events }) => events, (events) => events.toFixed(1)],
  ['seconds per run', ({ seconds }) => seconds, (seconds) => seconds.toFixed(3)],
];
// During the first runs code is compiled and caches fill, so growth is measured over the second half.
const later = taken.slice(Math.floor(taken.length / 2));
console.log(`${count} successive runs of ${table} in one worker`);
for (const [name, value, text] of measures) {
  const [first, middle, last] = [taken[0]!, later[0]!, taken.at(-1)!].map((sample) => text(value(sample)));
  console.log(
    `${name}: first ${first}, half way ${middle}, last ${last}; growth ${text(slope(later, value))} per thousand runs`,
  );
}
