import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Client, type WorkflowClientInterceptor, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../../src/settings/settings.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { tableWorkflowId } from '../../../src/temporal/names.ts';
import { statusOf as readStatus, type TableStatus } from '../../../src/connections/status.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { cli, type CliOptions } from '../../helpers/cli.ts';
import { link, type Linked, startedAfter } from '../../helpers/linked.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

const incremental: TableSettings = { syncMethod: 'incremental', incrementalField: 'updated_at', every: '1h' };
const fullRefresh: TableSettings = { syncMethod: 'full_refresh', every: '6h' };

async function sandboxOf(): Promise<Sandbox> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 300, incident_updates: 0, follow_ups: 0, alerts: 0, escalations: 0, users: 20 },
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

async function statusOf({ file }: Linked): Promise<{ code: number; tables: TableStatus[] }> {
  const { code, out } = await cli(['status', '--json', '--settings', file]);
  return { code, tables: JSON.parse(out) as TableStatus[] };
}

const printed = ({ file }: Linked, options?: CliOptions) => cli(['status', '--settings', file], options);

/** The status of a table by a server that has forgotten all its runs, as it does once histories expire. */
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
    readonly tables: readonly { readonly table: string; readonly state: string; readonly message?: string }[];
  };
  const fleet = async (...settings: string[]) => {
    const { code, out } = await cli(['status', '--json', '--settings', ...settings]);
    return { code, lines: JSON.parse(out) as Line[] };
  };
  const every = (seconds: number): TableSettings => ({ syncMethod: 'full_refresh', every: `${seconds}s` });

  it('tells in a line each what is wrong, worst first, and what to do', { timeout: 90_000 }, async () => {
    const sandbox = await sandboxOf();
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
    // The server's list follows in a moment.
    const settled = async () => {
      const { lines } = await fleet(...files);
      return [...lines.map(({ state }) => state), line(lines, never.file).tables[0]?.message];
    };
    const expected = ['unreadable', 'failing', 'late', 'late', 'current', 'no worker answers.'];
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
    expect(out).toMatch(/FAILING +users: GET .* 403 .*→ Grant/);
    expect(out).toMatch(/LATE +users( \d+s behind)?: no worker answers\. → Start one/);
    expect(out).toMatch(/\n5 connections: 1 unreadable, 1 failing, 2 late, 1 current\n$/);
    // What a table's own status says agrees.
    expect((await statusOf(late)).code).toBe(1);
  });

  it('takes a folder, and is content where all are current, paused or in their first sync', async () => {
    const sandbox = await sandboxOf();
    const paused = await link(temporal, sandbox, { users: fullRefresh });
    await paused.serving(() => paused.run('users'));
    await paused.schedule('users').pause('moving house');
    const fresh = await link(temporal, sandbox, { users: fullRefresh });
    await fresh.schedule('users').unpause();
    const folder = await temporaryFolder();
    await copyFile(paused.file, join(folder, 'a.json'));
    await copyFile(fresh.file, join(folder, 'b.json'));
    // The server's list follows in a moment.
    const told = async () => {
      const { code, lines } = await fleet(folder);
      return { code, states: lines.map(({ state }) => state), why: lines[0]!.tables[0]!.message };
    };
    const expected = { code: 0, states: ['paused', 'first_sync'], why: 'moving house' };
    await expect.poll(told, { timeout: 20_000, interval: 500 }).toEqual(expected);
    expect((await cli(['status', 'users', '--settings', folder])).code).toBe(2);
  });

  it('tells of settings that are wrong though no server answers, and of why the others cannot be read', async () => {
    const linked = await link(temporal, await sandboxOf(), { users: fullRefresh });
    const missing = join(linked.folder, 'missing.json');
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    onTestFinished(() => void (process.env['TEMPORAL_ADDRESS'] = temporal.address));
    const { code, lines } = await fleet(linked.file, missing);
    expect(code).toBe(1);
    expect(lines.map(({ state, message }) => ({ state, message }))).toEqual([
      { state: 'unreadable', message: expect.stringContaining('No Temporal server answers') as string },
      { state: 'unreadable', message: expect.stringContaining('There is no settings file') as string },
    ]);
  });
});

describe('status', () => {
  it('knows how each table is kept current and what its last run left', async () => {
    const linked = await link(temporal, await sandboxOf(), { incidents: incremental, users: fullRefresh });
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
      ...incremental,
      schedule: 'paused',
      buffered: false,
      rows: 300,
      lastRun: { outcome: 'synced', result: { rows: 300, fullRead: true } },
    });
    expect(incidents!.lastSuccess).toBe(incidents!.lastRun!.ended);
    expect(incidents!.watermark).toBe(new Date(incidents!.lastRun!.result!.watermark!).toISOString());
    expect(incidents).not.toHaveProperty('nextRun');
    expect(users).toMatchObject({ ...fullRefresh, schedule: 'active', rows: 20 });
    expect(users).not.toHaveProperty('watermark');
    expect(users!.lagSeconds).toBeGreaterThanOrEqual(0);
    expect(Date.parse(users!.nextRun!)).toBeGreaterThan(Date.parse(users!.lastSuccess!));

    // The table itself still knows when the server has forgotten.
    expect(await statusOfForgotten(linked, 'incidents')).toMatchObject({
      rows: 300,
      watermark: incidents!.watermark,
      lastRun: { outcome: 'synced', started: incidents!.lastRun!.started },
      lastSuccess: incidents!.lastRun!.started,
    });
  });

  it('repeats what the last run found worth saying', async () => {
    const sandbox = await sandboxOf();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(async () => {
      await linked.run('users');
      for (const { id } of [...sandbox.records('users')].slice(0, 15)) sandbox.remove('users', id as string);
      await linked.run('users');
    });
    const { code, out } = await printed(linked);
    expect(code).toBe(0);
    expect(out).toContain('note: users: The table shrank from 20 rows to 5.');
  });

  it('tells what to do about a failed table, which mends itself once that is done', async () => {
    const sandbox = await sandboxOf();
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
        lastRun: { outcome: 'failed', failure: { error: 'PermissionError' } },
      });
      expect(incidents!.lastRun!.failure!.advice).toContain('incidents.view');
      expect(Date.parse(incidents!.lastSuccess!)).toBeLessThan(Date.parse(incidents!.lastRun!.ended!));
      expect(users!.lastRun).toMatchObject({ outcome: 'synced' });
      const said = await printed(linked);
      expect(said.code).toBe(1);
      expect(said.out).toMatch(/error: incidents: .*incidents\.view[^]*→ Grant[^]*last success/);

      sandbox.setScopes(sandbox.key, ['users.view', 'incidents.view']);
      sandbox.create('incidents');
      expect((await linked.run('incidents')).fullRead).toBe(false);
      expect((await statusOf(linked)).code).toBe(0);
      await expectTruth(sandbox, linked.destination, ['incidents']);
    });
  });

  it('shows where a run stands, and whether a worker is there to go on with it', async () => {
    const sandbox = await sandboxOf();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    await startedAfter(linked.schedule('users'), 0);
    const waiting = await statusOf(linked);
    expect(waiting.tables[0]).toMatchObject({
      running: { workerAnswers: false, phase: 'waiting for a worker' },
    });
    expect((await printed(linked)).out).toContain('No worker answers');

    sandbox.fault({ fault: { kind: 'error', status: 500 }, table: 'users' });
    await linked.serving(async () => {
      const running = async () => (await statusOf(linked)).tables[0]?.running;
      await expect
        .poll(running, { timeout: 20_000 })
        .toMatchObject({ workerAnswers: true, phase: 'reading', retrying: { attempt: expect.any(Number) } });
      const { out } = await printed(linked);
      expect(out).toMatch(/running for[^]*running: users: reading[^]*retrying \(attempt/);
      await cli(['cancel', '--settings', linked.file]);
    });
    const { code, tables } = await statusOf(linked);
    expect({ code, outcome: tables[0]!.lastRun!.outcome }).toEqual({ code: 0, outcome: 'cancelled' });
  });

  it('tells once that no worker answers, however many tables wait', async () => {
    const sandbox = await sandboxOf();
    const linked = await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh });
    await cli(['trigger', '--settings', linked.file]);
    for (const table of ['users', 'severities']) await startedAfter(linked.schedule(table), 0);
    const { out } = await printed(linked);
    expect(out).toContain('waiting: severities, users: no worker answers.\n  → Start one');
    expect(out.match(/worker answers/g)).toHaveLength(1);
  });

  it('does not take the tables of another destination for those of the settings, nor lets anybody touch them', async () => {
    const sandbox = await sandboxOf();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(() => linked.run('users'));
    const copy = join(linked.folder, 'copy.json');
    const elsewhere = join(linked.folder, 'elsewhere');
    await writeFile(copy, JSON.stringify({ ...linked.settings, destination: elsewhere }));
    const problem = `sync into ${linked.destination}; these settings say ${elsewhere}.`;
    const status = await cli(['status', '--json', '--settings', copy]);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject([
      { table: 'users', tableError: { message: expect.stringContaining(problem) as string } },
    ]);
    for (const command of ['trigger', 'pause', 'sync']) {
      const { code, err } = await cli([command, '--settings', copy]);
      expect(code).toBe(2);
      expect(err).toContain(problem);
    }
    expect((await linked.schedule('users').describe()).info.numActionsTaken).toBe(1);
  });

  it('shows a run that somebody started by hand', async () => {
    const sandbox = await sandboxOf();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    sandbox.fault({ fault: { kind: 'stall' }, table: 'users' });
    const ended = sync(temporal, sandbox, linked.destination, { tables: ['users'] });
    const running = async () => (await statusOf(linked)).tables[0]?.running?.workflowId;
    await expect.poll(running, { timeout: 20_000 }).toBe(tableWorkflowId(linked.destination, 'users'));
    await cli(['cancel', '--settings', linked.file]);
    expect(await ended).toEqual([{ table: 'users', status: 'cancelled' }]);
  });

  it('exits with 1 where a table has no schedule, and tells of the others', async () => {
    const linked = await link(temporal, await sandboxOf(), { users: fullRefresh, severities: fullRefresh });
    await linked.schedule('severities').delete();
    const { code, out } = await printed(linked);
    expect(code).toBe(1);
    expect(out).toMatch(/error: severities has no schedule\.\n +→ Run apply/);
    expect(out).toMatch(/^users .*none yet/m);
  });

  it.each([60, 80, 200])('fits a terminal of %i columns', async (columns) => {
    const linked = await link(temporal, await sandboxOf(), { incidents: incremental, users: fullRefresh });
    await linked.serving(() => linked.run('incidents'));
    const { out } = await printed(linked, { columns });
    const [table] = out.split('\nConnection ');
    const widths = stripVTControlCharacters(table!)
      .split('\n')
      .map(({ length }) => length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
  });

  it('shows it again and again until it is interrupted', async () => {
    const linked = await link(temporal, await sandboxOf(), { users: fullRefresh });
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
