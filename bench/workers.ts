import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { sandboxSizes } from '../src/sandbox/sandbox.ts';
import { tableNamed } from '../src/tables/index.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { inputOf } from '../src/connections/runs/input.ts';
import { syncTables } from '../src/connections/runs/sync-tables.ts';
import { workerQueue } from '../src/temporal/names.ts';
import { usualTables } from '../test/helpers/usual-tables.ts';
import { type Asked, startSandboxProcess } from './sandbox-process.ts';
import { allSynced } from './sync.ts';
import { type Used, usedBy } from './used-by.ts';
import { startWorker } from './worker-process.ts';

const keyVariable = 'INCIDENT_IO_BENCH_KEY';

export type WorkersFigures = {
  readonly asked: Asked;
  /** What each worker used. */
  readonly used: readonly Used[];
};

/** The first sync of a large account at the real rate limits, by `count` worker processes that share one key. */
export async function benchWorkers(count: number): Promise<WorkersFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-workers-'));
  const destination = join(folder, 'warehouse');
  await mkdir(destination);
  const sandbox = await startSandboxProcess({
    sizes: sandboxSizes.benchmark,
    latencyMs: { least: 100, most: 150 },
  });
  const server = await useTemporaryDevServer({ env: process.env, report: console.error });
  const connection = await Connection.connect({ address: server.address });
  const apiKey = { env: keyVariable };
  const settings = join(folder, 'incident-io.json');
  const content = { version: 1, connection: 'bench', apiKey, baseUrl: sandbox.url, destination };
  const chosen = Object.fromEntries(usualTables.map((table) => [table, {}]));
  await writeFile(settings, JSON.stringify({ ...content, tables: chosen }));
  const env = { TEMPORAL_ADDRESS: server.address, [keyVariable]: sandbox.keys[0] };
  const workers = await Promise.all(
    Array.from({ length: count }, () => startWorker(['--settings', settings], env)),
  );
  try {
    const client = new Client({ connection });
    const source = { destination, apiKey, baseUrl: sandbox.url, account: 'unknown', giveUpAfterMinutes: 10 };
    const outcomes = await syncTables(
      { client, taskQueue: workerQueue({ destination }) },
      destination,
      usualTables.map((name) => inputOf(tableNamed(name), source, undefined, { nested: false })),
      { onStart() {}, onProgress() {}, onOutcome() {}, interrupt: new AbortController().signal },
    );
    allSynced(outcomes);
    const used = await Promise.all(workers.map(({ pid }) => usedBy(pid)));
    return { asked: await sandbox.asked(), used };
  } finally {
    for (const { stop } of workers) stop();
    await Promise.all(workers.map(({ ended }) => ended));
    await connection.close();
    await server.release();
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
