import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { type Condition, serveProbes } from '../../../src/serving/probes.ts';
import { watchDestination } from '../../../src/serving/watches.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { useDevServer } from '../../../src/temporal/dev-server/dev-server.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { startCommand } from '../../helpers/command.ts';
import { freePort } from '../../helpers/serving.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { keyVariable, settingsFor } from '../../helpers/worker-queue.ts';

type Answer = { readonly status: number; readonly said: object };

async function probe(address: string, path: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`http://${address}${path}`);
    return { status: response.status, said: (await response.json()) as object };
  } catch {
    // Nothing is listening there yet.
    return undefined;
  }
}

const wait = { timeout: 80_000, interval: 50 };

it(
  'say ready while the worker polls and its server answers, and alive all along',
  { timeout: 180_000 },
  async () => {
    const sandbox = await startSandbox({ limits: 'off' });
    onTestFinished(() => sandbox.stop());
    const settings = await settingsFor(sandbox, { severities: { syncMethod: 'full_refresh', every: '6h' } });
    const server = { stateDir: settings.folder, env: process.env, report: () => undefined };
    const before = await useDevServer(server);
    onTestFinished(() => before.release());
    const address = `127.0.0.1:${await freePort()}`;
    const worker = startCommand(['worker', '--settings', settings.file, '--health', address], {
      TEMPORAL_ADDRESS: before.address,
      [keyVariable]: sandbox.key,
    });
    const ready = () => probe(address, '/readyz');
    const good = { ready: true, worker: 'polling', temporal: 'ok', destination: 'ok' };
    await expect.poll(ready, wait).toEqual({ status: 200, said: good });
    expect(await probe(address, '/livez')).toEqual({ status: 200, said: { alive: true, worker: 'polling' } });

    process.kill(before.pid, 'SIGKILL');
    const temporal = expect.stringMatching(/^does not answer: ./) as string;
    await expect.poll(ready, wait).toEqual({ status: 503, said: { ...good, ready: false, temporal } });
    expect(await probe(address, '/livez')).toMatchObject({ status: 200 });
    const after = await useDevServer(server);
    onTestFinished(() => after.release());
    await expect.poll(ready, wait).toEqual({ status: 200, said: good });

    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  },
);

it('say not ready before there is a worker, and from the moment it is asked to stop', async () => {
  const stop = new AbortController();
  const condition: Condition = { temporal: 'ok', destination: 'ok' };
  const address = `127.0.0.1:${await freePort()}`;
  const health = await serveProbes(address, condition, stop.signal);
  onTestFinished(() => health.close());
  expect(await probe(address, '/readyz')).toMatchObject({ status: 503, said: { worker: 'starting' } });
  const polls = { workflowPollerState: 'POLLING', activityPollerState: 'POLLING' } as const;
  condition.worker = () => ({ runState: 'RUNNING', ...polls });
  expect(await probe(address, '/readyz')).toMatchObject({ status: 200 });
  stop.abort();
  expect(await probe(address, '/readyz')).toMatchObject({ status: 503, said: { worker: 'stopping' } });
  expect(await probe(address, '/livez')).toMatchObject({ status: 200 });
  condition.worker = () => ({ runState: 'FAILED', ...polls });
  expect(await probe(address, '/livez')).toMatchObject({ status: 503, said: { alive: false } });
});

it('are told that the destination can no longer be written to', async () => {
  const destination = join(await temporaryFolder(), 'warehouse');
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  onTestFinished(() => warehouse.close());
  await warehouse.assertWritable();
  await rename(destination, `${destination}-elsewhere`);
  await writeFile(destination, '');
  const problems: (string | undefined)[] = [];
  const done = new AbortController();
  const watching = watchDestination(warehouse, (problem) => void problems.push(problem), done.signal);
  await expect.poll(() => problems[0], wait).toContain(destination);
  done.abort();
  await watching;
});

it('refuse an address that cannot be listened at', async () => {
  const condition: Condition = { temporal: 'ok', destination: 'ok' };
  const nowhere = serveProbes('localhost', condition, new AbortController().signal);
  await expect(nowhere).rejects.toBeInstanceOf(UsageError);
  await expect(nowhere).rejects.toThrow('localhost');
});
