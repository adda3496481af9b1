import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { scheduleId } from '../../src/temporal/names.ts';
import { type RunningCommand, startCommand } from '../helpers/command.ts';
import { readWithDeltaRs } from '../helpers/delta-reader.ts';
import { link, resultOf, type ScheduledRun, startedAfter } from '../helpers/linked.ts';
import { temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';

const temporal = await connectToTestServer();
const { client } = temporal;

/** For conditions that may take a while on a busy machine. */
const often = { timeout: 60_000, interval: 5 };

/** A copy of the sources with a new table, and a workflow with one more step (guarded by `patched`, as every change is). */
async function nextVersion(): Promise<string> {
  const root = await temporaryFolder();
  const here = fileURLToPath(new URL('../..', import.meta.url));
  for (const part of ['src', 'workflows', 'activities', 'package.json', 'temporal-cli.txt']) {
    await cp(join(here, part), join(root, part), { recursive: true });
  }
  await symlink(join(here, 'node_modules'), join(root, 'node_modules'));
  const edit = async (file: string, from: string, to: string) => {
    const text = await readFile(join(root, file), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(root, file), text.replace(from, to));
  };
  const severities = await readFile(join(root, 'src/tables/severities.ts'), 'utf8');
  await writeFile(
    join(root, 'src/tables/severity-levels.ts'),
    severities.replace('const severities', 'const levels').replace("name: 'severities'", "name: 'levels'"),
  );
  await edit('src/tables/declared.ts', 'export', "export { levels } from './severity-levels.ts';\nexport");
  await edit(
    'workflows/sync-table.ts',
    'import { ApplicationFailure,',
    'import { ApplicationFailure, patched,',
  );
  await edit(
    'workflows/sync-table.ts',
    '    const result = await runTable(',
    "    if (patched('sweeps-first')) await temporalHost(input, announce).activities.discardStaged({ run: identity });\n    const result = await runTable(",
  );
  return root;
}

it(
  'a new version is deployed and rolled back during runs: no run fails, no row is lost or doubled',
  { timeout: 180_000 },
  async () => {
    const sandbox = await startSandbox({
      limits: 'off',
      latencyMs: 25,
      sizes: { incident_updates: 12_000, alerts: 1_500, users: 50 },
    });
    onTestFinished(() => sandbox.stop());
    const everySixHours = { syncMethod: 'full_refresh', every: '6h' } as const;
    const tables = ['incident_updates', 'alerts', 'users'] as const;
    const linked = await link(
      temporal,
      sandbox,
      Object.fromEntries(tables.map((table) => [table, everySixHours])),
    );
    const { connection } = linked.settings;
    const next = await nextVersion();
    const env = { TEMPORAL_ADDRESS: temporal.address };
    const start = async (args: readonly string[], root?: string): Promise<RunningCommand> => {
      const worker = startCommand(['worker', ...args], env, root);
      await worker.says('worker started');
      return worker;
    };
    const trigger = async (table: string): Promise<ScheduledRun> => {
      const schedule = client.schedule.getHandle(scheduleId(connection, table));
      const { numActionsTaken } = (await schedule.describe()).info;
      await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
      return startedAfter(schedule, numActionsTaken);
    };
    const firstExecution = ({ workflowId, firstExecutionRunId }: ScheduledRun) =>
      client.workflow.getHandle(workflowId, firstExecutionRunId);
    const askedFor = (path: string) => sandbox.requests.filter(({ url }) => url.startsWith(path)).length;

    const old = await start(['--settings', linked.file]);
    const [updates, alerts] = [await trigger('incident_updates'), await trigger('alerts')];
    await expect.poll(() => askedFor('/v2/incident_updates'), often).toBeGreaterThan(5);
    // Keeps the run waiting at the rate limit, so that it is in progress until the test lets it go.
    const letGo = sandbox.fault({
      table: 'incident_updates',
      fault: { kind: 'error', status: 429, retryAfterSeconds: 1 },
    });

    // Only the old version is there for the first run of the new table, and leaves it to the new version.
    const settings = { ...linked.settings, tables: { ...linked.settings.tables, levels: everySixHours } };
    const file = join(linked.destination, '..', 'next.json');
    await writeFile(file, JSON.stringify(settings));
    const apply = startCommand(['apply', '--settings', file, '--yes'], env, next);
    onTestFinished(async () => {
      try {
        await client.schedule.getHandle(scheduleId(connection, 'levels')).delete();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    });
    expect({ code: await apply.ended, err: apply.err() }).toMatchObject({ code: 0 });
    const levels = await trigger('levels');
    const pending = async () => (await firstExecution(levels).describe()).raw.pendingActivities?.[0];
    await expect
      .poll(async () => (await pending())?.lastFailure?.message, { timeout: 60_000 })
      .toMatch(/\blevels\b/);

    const [young] = await Promise.all([start(['--settings', file], next), trigger('users')]);
    old.child.kill('SIGTERM');
    expect(await old.ended).toBe(0);
    expect((await firstExecution(updates).describe()).status.name).toBe('RUNNING');
    letGo();
    const synced = await Promise.all([updates, alerts, levels].map((run) => resultOf(client, run)));
    expect(synced.map(({ rows }) => rows)).toEqual([
      12_000,
      1_500,
      [...sandbox.records('severities')].length,
    ]);
    await expectTruth(sandbox, linked.destination, ['incident_updates', 'alerts', 'users']);
    const { rows } = await readWithDeltaRs(join(linked.destination, 'levels'));
    expect(rows).toHaveLength(synced[2]!.rows);

    // Rollback: the old version cannot replay a run that the new version started.
    const asked = askedFor('/v2/incident_updates');
    const returned = await trigger('incident_updates');
    await expect.poll(() => askedFor('/v2/incident_updates'), often).toBeGreaterThan(asked + 5);
    young.child.kill('SIGTERM');
    await Promise.all([young.ended, start(['--settings', linked.file])]);
    expect(await resultOf(client, returned)).toMatchObject({ rows: 12_000 });
    const events = (await firstExecution(returned).fetchHistory()).events ?? [];
    expect(events.at(-1)?.workflowExecutionFailedEventAttributes?.newExecutionRunId).toMatch(/\w/);
    await expectTruth(sandbox, linked.destination, ['incident_updates']);
    // The schedule has followed the run to its end.
    const after = await trigger('users');
    expect(await resultOf(client, after)).toMatchObject({ rows: 50 });
  },
);
