import { expect, it, onTestFinished } from 'vitest';
import { createActivities } from '../../../activities/index.ts';
import type { SyncTableInput } from '../../../workflows/contract.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { createWorker } from '../../../src/serving/create-worker.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { destinationQueue, workerQueue } from '../../../src/temporal/names.ts';
import { cli } from '../../helpers/cli.ts';
import { startCommand } from '../../helpers/command.ts';
import { setEnv } from '../../helpers/environment.ts';
import { link } from '../../helpers/linked.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

const temporal = await connectToTestServer();

/** For conditions that may take a while on a busy machine. */
const often = { timeout: 60_000, interval: 5 };

it(
  'runs of the queue that a destination had before end well, and apply moves its schedules to the new one',
  { timeout: 180_000 },
  async () => {
    setEnv({ TEMPORAL_ADDRESS: temporal.address });
    const sandbox = await startSandbox({
      limits: 'off',
      latencyMs: 20,
      sizes: { incident_updates: 12_000, users: 30 },
    });
    onTestFinished(() => sandbox.stop());
    const everySixHours = { syncMethod: 'full_refresh', every: '6h' } as const;
    const tables = ['incident_updates', 'users'] as const;
    const linked = await link(
      temporal,
      sandbox,
      Object.fromEntries(tables.map((table) => [table, everySixHours])),
    );
    const { settings, file, warehouse } = linked;
    const oldQueue = destinationQueue(settings.destination);
    /** As the previous version made it: the queue determines the destination, the run does not name it. */
    const asBefore = (table: string) =>
      linked.schedule(table).update((schedule) => {
        const [{ quick: _quick, run, ...input }] = schedule.action.args as [SyncTableInput];
        const { destination: _destination, ...before } = run;
        const args = [{ ...input, run: before }];
        return { ...schedule, action: { ...schedule.action, args, taskQueue: oldQueue } };
      });
    await Promise.all(tables.map(asBefore));
    const { connection, namespace, workflowBundle } = temporal;
    const old = await createWorker({
      connection,
      namespace,
      workflowBundle,
      taskQueue: oldQueue,
      activities: createActivities({ tableNamed, warehouse }),
    });

    // Deployed worker by worker: both versions run, then the old one is stopped in the middle of a run.
    const oldEnded = old.run();
    const updates = linked.run('incident_updates');
    await expect.poll(() => sandbox.requests.length, often).toBeGreaterThan(5);
    // Keeps the run waiting at the rate limit, so that it is in progress until the test lets it go.
    const letGo = sandbox.fault({
      table: 'incident_updates',
      fault: { kind: 'error', status: 429, retryAfterSeconds: 1 },
    });
    const { apiKey } = settings;
    const key = { ['env' in apiKey ? apiKey.env : '']: sandbox.key };
    const young = startCommand(['worker', '--settings', file], {
      TEMPORAL_ADDRESS: temporal.address,
      ...key,
    });
    // It has found the run on the old queue.
    await young.says(oldQueue);
    old.shutdown();
    await oldEnded;
    const { code, out } = await cli(['apply', '--settings', file, '--yes']);
    expect(code).toBe(0);
    expect(out).toContain(`${oldQueue} → ${workerQueue(settings)}`);
    letGo();
    expect(await updates).toMatchObject({ rows: 12_000 });
    expect(await linked.run('users')).toMatchObject({ rows: 30 });

    // A schedule that was not moved yet: its run begins although the new version serves another queue.
    await asBefore('users');
    expect(await linked.run('users')).toMatchObject({ rows: 30 });
    await expectTruth(sandbox, linked.destination, tables);
    young.child.kill('SIGTERM');
    expect(await young.ended).toBe(0);
  },
);
