import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection } from '@temporalio/worker';
import { quietRuntime } from '../src/serving/runtime.ts';
import { type Settings, settingsVersion } from '../src/settings/settings.ts';
import { createSourceWorker } from '../src/worker.ts';
import { type Figure, mib } from './figures.ts';
import { type MeasuredServer, startMeasuredServer } from './measured-server.ts';
import { usedBy } from './used-by.ts';
import { startWorker, writeSettingsFiles } from './worker-process.ts';

const connections = 200;

type Idle = { readonly bytes: number; readonly polls: number };

/** The cost of a process that serves idle connections: with one worker for all, and with one for each. */
export async function benchIdleWorkers(): Promise<Figure[]> {
  const together = await measured(inOneWorker);
  const apart = await measured(withAWorkerEach);
  const figure = (what: string, { bytes, polls }: Idle) => ({
    what,
    measured: `${mib(bytes)}, ${polls} open polls`,
  });
  return [
    figure(`${connections} connections, a worker for each`, apart),
    {
      ...figure(`${connections} connections, worker --settings <folder>`, together),
      reach: '≤ 0.08 of the above',
      ratio: together.bytes / apart.bytes / 0.08,
    },
  ];
}

async function measured(serve: (folder: string, server: MeasuredServer) => Promise<Idle>): Promise<Idle> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-idle-'));
  const server = await startMeasuredServer(join(folder, 'temporal'));
  try {
    return await serve(folder, server);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The process after twenty seconds, which leave time to collect the garbage of the start. */
async function after(pid: number, server: MeasuredServer): Promise<Idle> {
  await sleep(20_000);
  return { bytes: (await usedBy(pid)).bytes, polls: openPolls(await server.metrics()) };
}

async function inOneWorker(folder: string, server: MeasuredServer): Promise<Idle> {
  const files = join(folder, 'connections');
  await writeSettingsFiles(
    files,
    Array.from({ length: connections }, (_, index) => settingsOf(folder, index)),
  );
  const env = { TEMPORAL_ADDRESS: server.address, [keyVariable]: 'none' };
  const { pid, stop, ended } = await startWorker(['--settings', files], env);
  try {
    return await after(pid, server);
  } finally {
    stop();
    await ended;
  }
}

const keyVariable = 'INCIDENT_IO_BENCH_KEY';

function settingsOf(folder: string, index: number): Settings {
  return {
    version: settingsVersion,
    connection: `idle-${index}`,
    apiKey: { env: keyVariable },
    baseUrl: 'https://api.incident.io',
    destination: join(folder, `warehouse-${index}`),
    retention: '7d',
    tables: { users: { syncMethod: 'full_refresh', every: '6h' } },
  };
}

async function withAWorkerEach(folder: string, server: MeasuredServer): Promise<Idle> {
  const child = fork(fileURLToPath(import.meta.url), [childArgument]);
  try {
    const made = once(child, 'message');
    child.send({ address: server.address, folder });
    await made;
    return await after(child.pid!, server);
  } finally {
    child.kill('SIGKILL');
  }
}

function openPolls(metrics: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('service_pending_requests{namespace="default",operation="Poll'))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const childArgument = 'idle-workers-in-this-process';

if (process.argv[2] === childArgument) {
  quietRuntime();
  process.once('message', ({ address, folder }: { address: string; folder: string }) => {
    void (async () => {
      const connection = await NativeConnection.connect({ address });
      for (let index = 0; index < connections; index += 1) {
        const destination = join(folder, `${index}`);
        const { worker } = await createSourceWorker({ connection, namespace: 'default', destination });
        void worker.run();
      }
      process.send!('made');
    })();
  });
}
