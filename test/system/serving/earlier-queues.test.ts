import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { destinationQueue, workerQueue } from '../../../src/temporal/names.ts';
import { startCommand } from '../../helpers/command.ts';
import { link, resultOf, type ScheduledRun, startedAfter } from '../../helpers/linked.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

const temporal = await connectToTestServer();
const { client } = temporal;

/** A copy of the sources in which each destination has a queue of its own and runs do not carry their destination. */
async function versionBefore(): Promise<string> {
  const root = await temporaryFolder();
  const here = fileURLToPath(new URL('../../..', import.meta.url));
  for (const part of ['src', 'workflows', 'activities', 'package.json', 'temporal-cli.txt']) {
    await cp(join(here, part), join(root, part), { recursive: true });
  }
  await symlink(join(here, 'node_modules'), join(root, 'node_modules'));
  const edit = async (file: string, from: string, to: string) => {
    const text = await readFile(join(root, file), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(root, file), text.replace(from, to));
  };
  await edit(
    'src/temporal/names.ts',
    'if (pool !== undefined) return',
    'if (destination !== pool) return destinationQueue(destination);\n  if (pool !== undefined) return',
  );
  await edit(
    'src/connections/schedule/schedule-options.ts',
    'const source = {\n    destination,',
    'const source = {',
  );
  return root;
}

it(
  'runs of the queue that a destination had before end well, and apply moves its schedules to the new one',
  { timeout: 180_000 },
  async () => {
    const sandbox = await startSandbox({
      limits: 'off',
      latencyMs: 15,
      sizes: { incident_updates: 12_000, users: 30 },
    });
    onTestFinished(() => sandbox.stop());
    const everySixHours = { syncMethod: 'full_refresh', every: '6h' } as const;
    const linked = await link(temporal, sandbox, { incident_updates: everySixHours, users: everySixHours });
    const { settings, file } = linked;
    const env = { TEMPORAL_ADDRESS: temporal.address };
    const before = await versionBefore();
    const apply = (root?: string) => startCommand(['apply', '--settings', file, '--yes'], env, root);
    const start = async (root?: string) => {
      const worker = startCommand(['worker', '--settings', file], env, root);
      await worker.says('worker started');
      return worker;
    };
    const trigger = async (table: string): Promise<ScheduledRun> => {
      const schedule = linked.schedule(table);
      const { numActionsTaken } = (await schedule.describe()).info;
      await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
      return startedAfter(schedule, numActionsTaken);
    };
    const queueOf = async (table: string) => (await linked.schedule(table).describe()).action.taskQueue;
    const oldQueue = destinationQueue(settings.destination);

    expect(await apply(before).ended).toBe(0);
    expect(await queueOf('users')).toBe(oldQueue);
    const old = await start(before);
    const updates = await trigger('incident_updates');
    await expect.poll(() => sandbox.requests.length, { interval: 5 }).toBeGreaterThan(10);

    // Deployed worker by worker: both versions are there, then the old one goes in the middle of the run.
    const young = await start();
    old.child.kill('SIGTERM');
    expect(await old.ended).toBe(0);
    const applied = apply();
    expect(await applied.ended).toBe(0);
    expect(applied.out()).toContain(`${oldQueue} → ${workerQueue(settings)}`);
    expect(await queueOf('users')).toBe(workerQueue(settings));
    expect(await resultOf(client, updates)).toMatchObject({ rows: 12_000 });
    expect(await resultOf(client, await trigger('users'))).toMatchObject({ rows: 30 });
    await expectTruth(sandbox, linked.destination, ['incident_updates', 'users']);

    // A schedule that nobody has moved yet: its run begins although the new version serves other queues.
    expect(await apply(before).ended).toBe(0);
    expect(await resultOf(client, await trigger('users'))).toMatchObject({ rows: 30 });
    young.child.kill('SIGTERM');
    expect(await young.ended).toBe(0);
  },
);
