import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import * as fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { syncTable } from '../../../workflows/sync-table.ts';
import { desiredSchedules } from '../../../src/connections/schedule/schedule-options.ts';
import { createIncidentIoSource } from '../../../src/plugin/source.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { scheduleId, workerQueue } from '../../../src/temporal/names.ts';
import { sideBySide } from '../../../src/warehouse/side-by-side.ts';
import { fleetOf } from '../../helpers/fleet.ts';
import { resultOf, type ScheduledRun, startedAfter } from '../../helpers/linked.ts';
import { seed } from '../../helpers/restless.ts';
import { freePort, scrape } from '../../helpers/serving.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

const temporal = await connectToTestServer();
const { client } = temporal;

/** A few in every test run, fifty or two hundred by hand. */
const fleetSize = Number(process.env['FLEET_CONNECTIONS'] ?? 8);
const kills = Number(process.env['TORTURE_KILLS'] ?? 2);

const names = ['incidents', 'users'] as const;
const incremental = { syncMethod: 'incremental', incrementalField: 'updated_at', nested: false } as const;

async function trigger({ connection }: Settings, table: string): Promise<ScheduledRun> {
  const schedule = client.schedule.getHandle(scheduleId(connection, table));
  const { numActionsTaken } = (await schedule.describe()).info;
  await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  return startedAfter(schedule, numActionsTaken);
}

const run = async (settings: Settings, table: string) => resultOf(client, await trigger(settings, table));

/** Why the pending activity of a run fails, attempt after attempt. */
async function lastFailure({ workflowId, firstExecutionRunId }: ScheduledRun): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId, firstExecutionRunId).describe();
  return raw.pendingActivities?.[0]?.lastFailure?.message ?? undefined;
}

async function accountOf(sizes: { readonly [table: string]: number }): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', latencyMs: 10, sizes });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

it(
  `keep the tables of ${fleetSize} connections right while one of two workers is killed ${kills} times (seed ${seed})`,
  { timeout: 180_000 + (kills + fleetSize) * 10_000 },
  async () => {
    const size = 300;
    const sandbox = await accountOf({ incidents: size, incident_updates: 1, users: 20 });
    const every = `${Math.max(2, Math.ceil(fleetSize / 2))}s` as const;
    const fleet = await fleetOf(temporal, sandbox, {
      incidents: { ...incremental, every },
      users: { syncMethod: 'full_refresh', every },
    });
    const connections = await Promise.all(Array.from({ length: fleetSize }, () => fleet.connection()));
    await Promise.all(connections.map(fleet.write));
    const workers = [fleet.startWorker(), fleet.startWorker()];
    await Promise.all(workers.map((worker) => worker.says('worker started')));
    for (const settings of connections) await fleet.schedule(settings, false);
    const moments = fc.sample(
      fc.record({ killed: fc.nat(1), afterMs: fc.nat(3_000), index: fc.nat(size - 1) }),
      { numRuns: kills, seed },
    );
    for (const { killed, afterMs, index } of moments) {
      sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed after ${afterMs}` });
      // This only varies the moment of the kill; the test passes at any time.
      await sleep(afterMs);
      workers[killed]!.child.kill('SIGKILL');
      // Both may be gone for a moment.
      workers[killed] = fleet.startWorker();
    }
    // The development server answers too late if it is asked about hundreds of schedules at once.
    const all = connections.flatMap((settings) => names.map((table) => ({ settings, table })));
    await sideBySide(all, ({ settings, table }) => run(settings, table));
    for (const { destination } of connections) await expectTruth(sandbox, destination, names);
  },
);

it(
  'notice files that are added and changed, and leave the others alone if one connection has a problem',
  { timeout: 180_000 },
  async () => {
    const sandbox = await accountOf({ users: 20 });
    const fleet = await fleetOf(temporal, sandbox, { users: { syncMethod: 'full_refresh', every: '6h' } });
    // A store that takes connections and never answers.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const good = await fleet.connection();
    const keyless = await fleet.connection({ apiKey: { file: join(fleet.folder, '..', 'missing.key') } });
    const hanging = await fleet.connection({
      destination: `s3://bucket/tables?endpoint=http://127.0.0.1:${port}`,
    });
    for (const settings of [good, keyless, hanging]) {
      await fleet.write(settings);
      await fleet.schedule(settings);
    }
    await writeFile(join(fleet.folder, 'broken.json'), '{ "version": 2, ');
    const address = `127.0.0.1:${await freePort()}`;
    const worker = fleet.startWorker(['--metrics', address]);
    await worker.says('worker started');
    expect(worker.err()).toContain('broken.json');
    expect(worker.err()).toContain('missing.key');

    const [waiting, stuck] = [await trigger(keyless, 'users'), await trigger(hanging, 'users')];
    expect(await run(good, 'users')).toMatchObject({ rows: 20 });
    await expect.poll(() => lastFailure(waiting)).toContain('missing.key');
    const figures = await scrape(address);
    expect(figures('incident_io_source_runs_total', 'users', `connection="${good.connection}"`)).toBe(1);

    // Once it has its key, its run continues by itself.
    const { apiKey } = keyless;
    if ('file' in apiKey) await writeFile(apiKey.file, sandbox.addKey());
    expect(await resultOf(client, waiting)).toMatchObject({ rows: 20 });

    const late = await fleet.connection();
    const file = await fleet.write(late);
    await fleet.schedule(late);
    await worker.says(`"connection":"${late.connection}","msg":"connection served"`);
    expect(await run(late, 'users')).toMatchObject({ rows: 20 });
    // With a mistake in it, the file's earlier settings stay in force.
    await writeFile(file, JSON.stringify({ ...late, retention: '2d' }));
    await worker.says('retention');
    expect(await run(late, 'users')).toMatchObject({ rows: 20 });
    await writeFile(join(fleet.folder, 'copy.json'), JSON.stringify(good));
    await worker.says(`the connection ${good.connection} is already served`);
    await rm(file);
    await worker.says(`"connection":"${late.connection}","msg":"connection no longer served"`);

    // A run cannot make the pool write to a place that its settings do not name.
    const [{ options }] = desiredSchedules(late, 'unknown') as [ReturnType<typeof desiredSchedules>[number]];
    const refused = await client.workflow.start<typeof syncTable>('syncTable', {
      workflowId: unique('refused'),
      taskQueue: workerQueue(late),
      args: options.action.args,
    });
    await expect(refused.result()).rejects.toMatchObject({
      cause: {
        type: 'DestinationNotServedError',
        message: expect.stringContaining(late.destination) as string,
      },
    });
    const { workflowId, firstExecutionRunId } = stuck;
    const state = await client.workflow.getHandle(workflowId, firstExecutionRunId).describe();
    expect(state.status.name).toBe('RUNNING');
    await client.workflow.getHandle(workflowId).terminate('the test is over');
    await expectTruth(sandbox, good.destination, ['users']);
  },
);

it('a platform serves many connections by one worker, with keys from its vault', async () => {
  const sandbox = await accountOf({ users: 20 });
  const source = createIncidentIoSource({ baseUrl: sandbox.url });
  const pool = unique('platform');
  const folder = await temporaryFolder();
  const accounts = ['one', 'two'].map((id) => ({ id, key: sandbox.addKey(), destination: join(folder, id) }));
  const { worker, close } = await source.createWorker({
    connection: temporal.connection,
    namespace: temporal.namespace,
    workflowBundle: temporal.workflowBundle,
    pool,
    serves: (destination) => accounts.some((account) => account.destination === destination),
    vault: (id) => Promise.resolve(accounts.find((account) => account.id === id)?.key),
  });
  onTestFinished(close);
  const start = (vault: string, destination: string) => {
    const target = { apiKey: { vault }, destination, pool };
    const { workflowType, ...options } = source.syncTable(target, { table: 'users' });
    return client.workflow.start(workflowType, options);
  };
  await worker.runUntil(async () => {
    const runs = await Promise.all(accounts.map(({ id, destination }) => start(id, destination)));
    for (const one of runs) expect(await one.result()).toMatchObject({ rows: 20 });
    const elsewhere = await start('one', join(folder, 'three'));
    const error = source.describeError(await elsewhere.result().catch((error: unknown) => error));
    expect(error).toMatchObject({ error: 'DestinationNotServedError', retry: 'never' });
  });
  for (const { destination } of accounts) await expectTruth(sandbox, destination, ['users']);
});
