import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { sandboxSizes } from '../src/sandbox/sandbox.ts';
import { tables } from '../src/tables/index.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { inputOf } from '../src/connections/runs/input.ts';
import { tableWorkflowId, destinationQueue } from '../src/temporal/names.ts';
import type { syncTable } from '../workflows/sync-table.ts';
import { type Asked, startSandboxProcess } from './sandbox-process.ts';
import { type Used, usedBy } from './used-by.ts';

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
  const chosen = Object.fromEntries(tables.map(({ name }) => [name, {}]));
  await writeFile(settings, JSON.stringify({ ...content, tables: chosen }));
  const env = { ...process.env, TEMPORAL_ADDRESS: server.address, [keyVariable]: sandbox.keys[0] };
  const workers = Array.from({ length: count }, () => startWorker(settings, env));
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    const client = new Client({ connection });
    const source = { apiKey, baseUrl: sandbox.url, account: 'unknown', giveUpAfterMinutes: 10 };
    await Promise.all(
      tables.map((table) =>
        client.workflow.execute<typeof syncTable>('syncTable', {
          workflowId: tableWorkflowId(destination, table.name),
          taskQueue: destinationQueue(destination),
          args: [inputOf(table, source)],
        }),
      ),
    );
    const used = await Promise.all(workers.map(({ child }) => usedBy(child.pid!)));
    return { asked: await sandbox.asked(), used };
  } finally {
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));
    await connection.close();
    await server.release();
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function startWorker(settings: string, env: NodeJS.ProcessEnv) {
  const main = fileURLToPath(new URL(`../src/cli/main${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [main, 'worker', '--settings', settings], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  return { child, ended, ready: saysStarted(child, ended) };
}

/** Resolves once the worker is ready. If it ends before that, rejects with what it printed. */
async function saysStarted({ stderr }: ChildProcess, ended: Promise<unknown>): Promise<void> {
  let said = '';
  stderr!.on('data', (text: Buffer) => void (said += text.toString()));
  while (!said.includes('worker started')) {
    const over = await Promise.race([ended.then(() => true), once(stderr!, 'data').then(() => false)]);
    if (over) throw new Error(`A worker ended: ${said}`);
  }
}
