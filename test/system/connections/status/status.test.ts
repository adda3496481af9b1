import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Client, type WorkflowClientInterceptor, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TableSettings } from '../../../../src/settings/settings.ts';
import { tableNamed } from '../../../../src/tables/index.ts';
import { tableWorkflowId } from '../../../../src/temporal/names.ts';
import { waitingForWorker } from '../../../../src/connections/runs/worker-wait.ts';
import { startWorker } from '../../../../src/connections/status/table-health.ts';
import { statusOf as readStatus, type TableStatus } from '../../../../src/connections/status/table-status.ts';
import { quietRuntime } from '../../../../src/serving/runtime.ts';
import { cli, type CliOptions } from '../../../helpers/cli.ts';
import { link, type Linked, resultOf, startedAfter } from '../../../helpers/linked.ts';
import { fullRefresh, incremental, smallSandbox } from '../../../helpers/operated.ts';
import { sync, temporaryFolder } from '../../../helpers/sync.ts';
import { connectToTestServer } from '../../../helpers/temporal.ts';
import { expectTruth } from '../../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

/** What `status --json` prints of a table, as far as these tests look at it. */
type PrintedStatus = {
  readonly table: string;
  readonly state: string;
  readonly advice?: string;
  readonly watermark?: string;
  readonly lag_seconds?: number;
  readonly last_success_at?: string;
  readonly next_run_at?: string;
  readonly running?: { readonly workflow_id: string };
  readonly last_run?: {
    readonly outcome: string;
    readonly started_at: string;
    readonly ended_at?: string;
    readonly watermark?: string;
    readonly advice?: string;
  };
};

async function statusOf({ file }: Linked): Promise<{ code: number; tables: PrintedStatus[] }> {
  const { code, out } = await cli(['status', '--json', '--settings', file]);
  return { code, tables: JSON.parse(out) as PrintedStatus[] };
}

const printed = ({ file }: Linked, options?: CliOptions) => cli(['status', '--settings', file], options);

/** The status of a table by a server that has forgotten all its runs, as servers do when histories expire. */
function statusOfForgotten({ settings, warehouse }: Linked, table: string): Promise<TableStatus> {
  const { connection, namespace } = temporal;
  const forgets: WorkflowClientInterceptor = {
    describe: ({ workflowExecution: { workflowId, runId } }) =>
      Promise.reject(new WorkflowNotFoundError('forgotten', workflowId, runId ?? undefined)),
  };
  const client = new Client({ connection, namespace, interceptors: { workflow: [forgets] } });
  return readStatus(client, settings, tableNamed(table), warehouse);
}

describe('status of many connections', () => {
  type Line = {
    readonly settings: string;
    readonly state: string;
    readonly message?: string;
    readonly error?: string;
    readonly tables: readonly {
      readonly table: string;
      readonly state: string;
      readonly message?: string;
      readonly advice?: string;
    }[];
  };
  const fleet = async (...settings: string[]) => {
    const { code, out } = await cli(['status', '--json', '--settings', ...settings]);
    return { code, lines: JSON.parse(out) as Line[] };
  };
  const every = (seconds: number): TableSettings => ({ syncMethod: 'full_refresh', every: `${seconds}s` });

  it('is one line each with what is wrong and what to do, worst first', { timeout: 90_000 }, async () => {
    const sandbox = await smallSandbox();
    const [current, failing, late, never] = [
      await link(temporal, sandbox, { users: fullRefresh }),
      await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh }),
      await link(temporal, sandbox, { users: every(1) }),
      await link(temporal, sandbox, { users: every(1) }),
    ];
    for (const linked of [current, late]) await linked.serving(() => linked.run('users'));
    await failing.serving(async () => {
      await failing.run('severities');
      sandbox.setScopes(sandbox.key, ['severities.view']);
      await expect(failing.run('users')).rejects.toMatchObject({ cause: { type: 'PermissionError' } });
    });
    await current.schedule('users').unpause();
    await late.schedule('users').unpause();
    // No worker serves it, so its first run waits.
    await never.schedule('users').unpause();
    const broken = join(late.folder, 'broken.json');
    await writeFile(broken, '{ "version": 1 }');

    const files = [current.file, failing.file, late.file, never.file, broken];
    const line = (lines: Line[], file: string) => lines.find(({ settings }) => settings === file)!;
    // The server's list is a moment behind.
    const settled = async () => {
      const { lines } = await fleet(...files);
      return [...lines.map(({ state }) => state), line(lines, never.file).tables[0]?.advice];
    };
    const expected = ['unreadable', 'failing', 'late', 'late', 'current', startWorker];
    await expect.poll(settled, { timeout: 30_000, interval: 500 }).toEqual(expected);
    const { code, lines } = await fleet(...files);
    expect(code).toBe(1);
    expect(line(lines, broken).message).toContain('connection');
    expect(line(lines, failing.file).tables).toMatchObject([
      {
        table: 'users',
        state: 'failing',
        error: 'PermissionError',
        message: expect.stringContaining('403') as string,
      },
      { table: 'severities', state: 'paused' },
    ]);

    const { out } = await cli(['status', '--settings', ...files]);
    expect(out).toMatch(/FAILING +users: .*403.*users\.view/);
    expect(out).toMatch(/LATE +users( \d+s behind)?: .*→ .*worker/);
    expect(out).toMatch(/\n5 \w+: 1 unreadable, 1 failing, 2 late, 1 current\n$/);
    // The status of its tables agrees.
    expect((await statusOf(late)).code).toBe(1);
  });

  it('takes a folder, and exits with 0 if all are current, paused or in their first sync', async () => {
    const sandbox = await smallSandbox();
    const paused = await link(temporal, sandbox, { users: fullRefresh });
    await paused.serving(() => paused.run('users'));
    await paused.schedule('users').pause('moving house');
    const fresh = await link(temporal, sandbox, { users: fullRefresh });
    await fresh.schedule('users').unpause();
    const folder = await temporaryFolder();
    await copyFile(paused.file, join(folder, 'a.json'));
    await copyFile(fresh.file, join(folder, 'b.json'));
    // The server's list is a moment behind.
    const shown = async () => {
      const { code, lines } = await fleet(folder);
      return { code, states: lines.map(({ state }) => state), why: lines[0]!.tables[0]!.message };
    };
    const expected = { code: 0, states: ['paused', 'first_sync'], why: 'moving house' };
    await expect.poll(shown, { timeout: 20_000, interval: 500 }).toEqual(expected);
    expect((await cli(['status', 'users', '--settings', folder])).code).toBe(2);
  });

  it('reports settings that are wrong even if no server answers, and why the others cannot be read', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    const missing = join(linked.folder, 'missing.json');
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    onTestFinished(() => void (process.env['TEMPORAL_ADDRESS'] = temporal.address));
    const { code, lines } = await fleet(linked.file, missing);
    expect(code).toBe(1);
    expect(lines).toMatchObject([
      { state: 'unreadable', error: 'TemporalUnavailableError', settings: linked.file },
      { state: 'unreadable', error: 'UsageError', settings: missing },
    ]);
  });
});

describe('status of tables', () => {
  it('shows how each table is kept current and what its last run left', async () => {
    const linked = await link(temporal, await smallSandbox(), { incidents: incremental, users: fullRefresh });
    const fresh = await statusOf(linked);
    expect(fresh.code).toBe(0);
    expect(fresh.tables.map(({ table }) => table)).toEqual(['incidents', 'users']);
    for (const table of fresh.tables) expect(table).not.toHaveProperty('rows');

    await linked.serving(async () => {
      await linked.run('incidents');
      await linked.run('users');
    });
    await linked.schedule('users').unpause();
    const { code, tables } = await statusOf(linked);
    const [incidents, users] = tables;
    expect(code).toBe(0);
    expect(incidents).toMatchObject({
      sync_method: 'incremental',
      incremental_field: 'updated_at',
      every: '1h',
      schedule: 'paused',
      buffered: false,
      rows: 300,
      last_run: { outcome: 'synced', rows: 300, full_read: true },
    });
    expect(incidents!.last_success_at).toBe(incidents!.last_run!.ended_at);
    expect(incidents!.watermark).toBe(incidents!.last_run!.watermark);
    expect(incidents).not.toHaveProperty('next_run_at');
    expect(users).toMatchObject({ sync_method: 'full_refresh', every: '6h', schedule: 'active', rows: 20 });
    expect(users).not.toHaveProperty('watermark');
    expect(users!.lag_seconds).toBeGreaterThanOrEqual(0);
    expect(Date.parse(users!.next_run_at!)).toBeGreaterThan(Date.parse(users!.last_success_at!));

    // When the server has forgotten, the table still knows.
    expect(await statusOfForgotten(linked, 'incidents')).toMatchObject({
      rows: 300,
      watermark: incidents!.watermark,
      lastRun: { outcome: 'synced', started: incidents!.last_run!.started_at },
      lastSuccess: incidents!.last_run!.started_at,
    });
  });

  it('repeats the notes of the last run', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(async () => {
      await linked.run('users');
      for (const { id } of [...sandbox.records('users')].slice(0, 15)) sandbox.remove('users', id as string);
      await linked.run('users');
    });
    const { code, out } = await printed(linked);
    expect(code).toBe(0);
    expect(out).toMatch(/note: users: .*20 rows to 5/);
  });

  it('says how to fix a failed table, which then recovers by itself', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { incidents: incremental, users: fullRefresh });
    await linked.serving(async () => {
      await linked.run('incidents');
      await linked.run('users');
      sandbox.setScopes(sandbox.key, ['users.view']);
      await expect(linked.run('incidents')).rejects.toMatchObject({ cause: { type: 'PermissionError' } });
      await linked.run('users');

      const { code, tables } = await statusOf(linked);
      expect(code).toBe(1);
      const [incidents, users] = tables;
      expect(incidents).toMatchObject({
        rows: 300,
        state: 'failing',
        last_run: { outcome: 'failed', error: 'PermissionError' },
      });
      expect(incidents!.last_run!.advice).toContain('incidents.view');
      expect(Date.parse(incidents!.last_success_at!)).toBeLessThan(
        Date.parse(incidents!.last_run!.ended_at!),
      );
      expect(users!.last_run).toMatchObject({ outcome: 'synced' });
      const shown = await printed(linked);
      expect(shown.code).toBe(1);
      expect(shown.out).toMatch(/error: incidents: .*incidents\.view[^]*→ .*incidents\.view[^]*last success/);

      sandbox.setScopes(sandbox.key, ['users.view', 'incidents.view']);
      sandbox.create('incidents');
      expect((await linked.run('incidents')).fullRead).toBe(false);
      expect((await statusOf(linked)).code).toBe(0);
      await expectTruth(sandbox, linked.destination, ['incidents']);
    });
  });

  it('shows the progress of a run, and whether a worker is there to continue it', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    await startedAfter(linked.schedule('users'), 0);
    const waiting = await statusOf(linked);
    expect(waiting.tables[0]).toMatchObject({ running: { worker_answers: false, phase: waitingForWorker } });
    const { out } = await printed(linked);
    // A run that waits has not been running.
    expect(out).toMatch(/users .*waiting for \d/);
    expect(out).toContain(startWorker);

    sandbox.fault({ fault: { kind: 'error', status: 500 }, table: 'users' });
    await linked.serving(async () => {
      const running = async () => (await statusOf(linked)).tables[0]?.running;
      await expect
        .poll(running, { timeout: 20_000 })
        .toMatchObject({ worker_answers: true, phase: 'reading', retrying: { attempt: expect.any(Number) } });
      const { out } = await printed(linked);
      expect(out).toMatch(/running for[^]*running: users: reading[^]*retrying \(attempt/);
      await cli(['cancel', '--settings', linked.file]);
    });
    const { code, tables } = await statusOf(linked);
    expect({ code, outcome: tables[0]!.last_run!.outcome }).toEqual({ code: 0, outcome: 'cancelled' });
  });

  it('does not count the wait for a worker as time that the run took', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    const run = await startedAfter(linked.schedule('users'), 0);
    const { seconds, queuedSeconds } = await linked.serving(() => resultOf(temporal.client, run));
    const history = await temporal.client.workflow.getHandle(run.workflowId).fetchHistory();
    const events = history.events ?? [];
    const secondOf = (found: (typeof events)[number] | undefined) =>
      Number(found?.eventTime?.seconds) + Number(found?.eventTime?.nanos) / 1e9;
    const taken = secondOf(events.find((event) => event.workflowTaskStartedEventAttributes));
    expect(queuedSeconds).toBeCloseTo(taken - secondOf(events[0]), 2);
    expect(seconds).toBeLessThanOrEqual(secondOf(events.at(-1)) - taken + 0.01);
  });

  it('says once that no worker responds, however many tables wait', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    for (const table of ['users', 'severities']) await startedAfter(linked.schedule(table), 0);
    const { out } = await printed(linked);
    expect(out).toMatch(/waiting: severities, users: /);
    expect(out.split(startWorker)).toHaveLength(2);
  });

  it('does not mistake the tables of another destination for those of the settings, and does not change them', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(() => linked.run('users'));
    const copy = join(linked.folder, 'copy.json');
    const elsewhere = join(linked.folder, 'elsewhere');
    await writeFile(copy, JSON.stringify({ ...linked.settings, destination: elsewhere }));
    const problem = new RegExp(`${linked.destination}.*${elsewhere}`);
    const status = await cli(['status', '--json', '--settings', copy]);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject([
      { table: 'users', state: 'failing', message: expect.stringMatching(problem) as string },
    ]);
    for (const command of ['trigger', 'pause', 'sync']) {
      const { code, err } = await cli([command, '--settings', copy]);
      expect(code).toBeGreaterThan(0);
      expect(err).toMatch(problem);
    }
    expect((await linked.schedule('users').describe()).info.numActionsTaken).toBe(1);
  });

  it('shows a failed run that the schedule has no record of', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(async () => {
      sandbox.setScopes(sandbox.key, []);
      await expect(linked.run('users')).rejects.toMatchObject({ cause: { type: 'PermissionError' } });
    });
    // A server that stops right after a trigger loses the record too, but not always.
    await linked.link('users', fullRefresh);
    expect((await linked.schedule('users').describe()).info.recentActions).toEqual([]);
    // The server's index of runs is a moment behind.
    await expect
      .poll(async () => (await statusOf(linked)).tables[0]?.last_run)
      .toMatchObject({ outcome: 'failed', error: 'PermissionError' });
    expect((await statusOf(linked)).code).toBe(1);
  });

  it('shows the last sync from the table itself if no run is remembered', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await sync(temporal, sandbox, linked.destination, { tables: ['users'] });
    const { code, out } = await printed(linked);
    expect(code).toBe(0);
    expect(out).toMatch(/users .*synced \d+s ago/);
  });

  it('says that an operator terminated a run, and the reason', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    const { workflowId } = await startedAfter(linked.schedule('users'), 0);
    await temporal.client.workflow.getHandle(workflowId).terminate('moving the server');
    const { code, tables } = await statusOf(linked);
    expect(code).toBe(1);
    expect(tables[0]!.last_run).toMatchObject({
      outcome: 'terminated',
      error: 'TerminatedFailure',
      message: expect.stringContaining('moving the server') as string,
    });
    expect((await printed(linked)).out).toMatch(/TERMINATED .*[^]*error: users: .*moving the server/);
  });

  it('shows why one table cannot be read, and how the others are doing', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { severities: fullRefresh, users: fullRefresh });
    await linked.serving(async () => {
      await linked.run('severities');
      await linked.run('users');
    });
    await writeFile(join(linked.destination, 'severities', '_delta_log', '00000000000000000000.json'), 'x');
    const { code, tables } = await statusOf(linked);
    expect(code).toBe(1);
    expect(tables).toMatchObject([
      { table: 'severities', state: 'failing', error: 'DestinationError' },
      { table: 'users', rows: 20, last_run: { outcome: 'synced' } },
    ]);
    expect(tables[1]).not.toHaveProperty('error');
  });

  it('shows a run that was started by hand', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    sandbox.fault({ fault: { kind: 'stall' }, table: 'users' });
    const ended = sync(temporal, sandbox, linked.destination, { tables: ['users'] });
    const running = async () => (await statusOf(linked)).tables[0]?.running?.workflow_id;
    await expect.poll(running, { timeout: 20_000 }).toBe(tableWorkflowId(linked.destination, 'users'));
    await cli(['cancel', '--settings', linked.file]);
    expect(await ended).toEqual([{ table: 'users', status: 'cancelled' }]);
  });

  it('exits with 1 if a table has no schedule, and shows the others', async () => {
    const linked = await link(temporal, await smallSandbox(), {
      users: fullRefresh,
      severities: fullRefresh,
    });
    await linked.schedule('severities').delete();
    const { code, out } = await printed(linked);
    expect(code).toBe(1);
    expect(out).toMatch(/error: severities .*schedule.*\n +→ .*apply/);
    expect(out).toMatch(/^users .*none yet/m);
  });

  it.each([60, 80, 200])('fits a terminal of %i columns', async (columns) => {
    const linked = await link(temporal, await smallSandbox(), { incidents: incremental, users: fullRefresh });
    await linked.serving(() => linked.run('incidents'));
    const { out } = await printed(linked, { columns });
    const [table] = out.split('\nConnection ');
    const widths = stripVTControlCharacters(table!)
      .split('\n')
      .map(({ length }) => length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
  });

  it('is shown again and again until it is interrupted', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    const interrupt = new AbortController();
    const watching = cli(['status', '--watch', '--settings', linked.file], {
      signal: interrupt.signal,
      onOutput: (out) => {
        if (out.split('Connection ').length > 2) interrupt.abort();
      },
    });
    expect((await watching).code).toBe(0);
    expect((await cli(['status', '--watch', '--json', '--settings', linked.file])).code).toBe(2);
  });
});
