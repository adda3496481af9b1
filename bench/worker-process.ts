import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NativeConnection } from '@temporalio/worker';
import type { SourceWorker } from '../src/plugin/warehouse-source.ts';
import { quietRuntime } from '../src/serving/runtime.ts';
import { createSourceWorker } from '../src/worker.ts';

export type WorkerProcess = {
  readonly pid: number;
  readonly stop: () => void;
  readonly ended: Promise<unknown>;
};

/** Starts a process that serves these destinations, with one worker for each. */
export async function startWorkers(address: string, destinations: readonly string[]): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [childArgument]);
  const ended = once(child, 'close');
  child.send({ address, destinations });
  await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('a worker process ended');
    }),
  ]);
  return { pid: child.pid!, ended, stop: () => void child.kill('SIGTERM') };
}

async function serve({
  address,
  destinations,
}: {
  address: string;
  destinations: readonly string[];
}): Promise<void> {
  quietRuntime();
  const connection = await NativeConnection.connect({ address });
  const workers: SourceWorker[] = [];
  for (const destination of destinations) {
    workers.push(await createSourceWorker({ connection, namespace: 'default', destination }));
  }
  // The parent process is gone.
  process.once('disconnect', () => process.exit());
  process.once('SIGTERM', () => workers.forEach(({ worker }) => worker.shutdown()));
  const running = Promise.all(workers.map(({ worker }) => worker.run()));
  process.send!('ready');
  await running;
  for (const { close } of workers) await close();
  await connection.close();
  process.exit();
}

const childArgument = 'workers-in-this-process';

if (process.argv[2] === childArgument) {
  process.once('message', (asked) => void serve(asked as Parameters<typeof serve>[0]));
}
