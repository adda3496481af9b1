import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { quietRuntime } from '../src/serving/runtime.ts';
import { createSourceWorker } from '../src/worker.ts';
import type { Figure } from './figures.ts';
import { startMeasuredServer } from './measured-server.ts';
import { usedBy } from './used-by.ts';

const workers = 40;
/** `whole`: the worker of a connection. `activities`: a worker that runs no workflows. */
const kinds = ['whole', 'activities'] as const;
type Kind = (typeof kinds)[number];

/** What an idle worker costs: one per connection, all in one process. */
export async function benchIdleWorkers(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const kind of kinds) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-idle-'));
    const server = await startMeasuredServer(join(folder, 'temporal'));
    const child = fork(fileURLToPath(import.meta.url), [childArgument]);
    const heard = async (say: object) => {
      const answer = once(child, 'message');
      child.send(say);
      await answer;
      return (await usedBy(child.pid!)).bytes;
    };
    try {
      const before = await heard({ connect: server.address });
      const after = await heard({ create: kind, folder });
      const polls = openPolls(await server.metrics());
      const what = kind === 'whole' ? 'one worker' : 'one worker for activities only';
      figures.push(
        { what: 'a process without workers', measured: `${(before / 2 ** 20).toFixed(0)} MiB` },
        {
          what,
          measured: `${((after - before) / workers / 2 ** 20).toFixed(1)} MiB, ${(polls / workers).toFixed(0)} open polls`,
        },
      );
    } finally {
      child.kill('SIGKILL');
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

function openPolls(metrics: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('service_pending_requests{namespace="default",operation="Poll'))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function idle(kind: Kind, folder: string, connection: NativeConnection): Promise<void> {
  for (let index = 0; index < workers; index += 1) {
    const worker =
      kind === 'whole'
        ? (
            await createSourceWorker({
              connection,
              namespace: 'default',
              destination: join(folder, `${index}`),
            })
          ).worker
        : await Worker.create({
            connection,
            taskQueue: `idle-${index}`,
            activities: { nothing: async () => {} },
          });
    void worker.run();
  }
  // Leaves time to collect the garbage of starting them.
  await sleep(20_000);
}

const childArgument = 'idle-workers-in-this-process';

if (process.argv[2] === childArgument) {
  quietRuntime();
  let connection: NativeConnection | undefined;
  process.on('message', (asked: { connect: string } | { create: Kind; folder: string }) => {
    void (async () => {
      if ('connect' in asked) connection = await NativeConnection.connect({ address: asked.connect });
      else await idle(asked.create, asked.folder, connection!);
      process.send!('done');
    })();
  });
}
