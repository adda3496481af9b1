import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { readRecord } from '../../../src/temporal/dev-server/record.ts';
import { tableWorkflowId } from '../../../src/temporal/names.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { cli, type CliOptions, type Finished } from '../../helpers/cli.ts';
import { startCommand } from '../../helpers/command.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const secret = 'inc_live_8d1f0c5e7b';

const connection = await Connection.connect({ address: inject('temporalAddress') });
afterAll(() => connection.close());

beforeEach(() => {
  vi.stubEnv('INCIDENT_IO_API_KEY', secret);
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function sandboxOf(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({
    limits: 'off',
    key: { key: secret },
    sizes: {
      incidents: 40,
      incident_updates: 30,
      follow_ups: 20,
      alerts: 60,
      escalations: 10,
      users: 5,
      schedules: 2,
    },
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

/** `sync` with these arguments. However it ends, it does not print the key. */
async function sync(argv: readonly string[], options?: CliOptions): Promise<Finished> {
  const finished = await cli(['sync', ...argv], options);
  expect(finished.out + finished.err).not.toContain(secret);
  return finished;
}

type Printed = {
  readonly error: string;
  readonly message: string;
  readonly advice: string;
  readonly runs?: { table: string; outcome: string; error?: string; advice?: string }[];
};

async function syncJson(argv: readonly string[]): Promise<{ code: number; printed: Printed; err: string }> {
  const { code, out, err } = await sync([...argv, '--json']);
  return { code, printed: JSON.parse(out) as Printed, err };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Every file below a folder, with its path in it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/**
 * Expects `sync` to be refused before it starts a server of its own, in words and as one JSON object, with the class of
 * the error and what it names.
 */
async function expectRefused(
  argv: readonly string[],
  expected: { code: number; error: string; names: readonly string[] },
): Promise<void> {
  const state = await temporaryFolder();
  vi.stubEnv('TEMPORAL_ADDRESS', undefined);
  vi.stubEnv('XDG_STATE_HOME', state);
  const { code, out, err } = await sync(argv);
  expect(err).toMatch(/^error: .+\n {2}→ .+\n$/);
  for (const name of expected.names) expect(err).toContain(name);
  expect({ code, out }).toEqual({ code: expected.code, out: '' });

  const json = await syncJson(argv);
  expect(json).toMatchObject({ code: expected.code, err: '' });
  expect(json.printed.error).toBe(expected.error);
  for (const name of expected.names) expect(json.printed.message + json.printed.advice).toContain(name);
  expect(await readdir(state)).toEqual([]);
}

describe('mistakes are refused before anything is requested, started or written', () => {
  it.each([
    { argv: ['incidnts'], names: ['"incidnts"', 'incidents'] },
    { argv: ['--sync-method', 'incremntal'], names: ['--sync-method', '"incremntal"', 'incremental'] },
    {
      argv: ['--incremental-field', 'update_at'],
      names: ['--incremental-field', '"update_at"', 'updated_at'],
    },
    // The option's name before version 0.2.
    { argv: ['--method', 'incremntal'], names: ['--sync-method', '"incremntal"'] },
    {
      argv: ['severities', '--sync-method', 'incremental'],
      names: ['severities', '--sync-method', 'full_refresh'],
    },
    { argv: ['severities', '--sync-method', 'incremntal'], names: ['"incremntal"'] },
    {
      argv: ['alerts', '--sync-method', 'incremental', '--incremental-field', 'created_at'],
      names: ['alerts', '--incremental-field', 'created_at', 'updated_at'],
    },
    { argv: ['severities', '--incremental-field', 'update_at'], names: ['"update_at"'] },
    { argv: ['severities', '--incremental-field', 'updated_at'], names: ['severities', 'updated_at'] },
    {
      argv: ['--sync-method', 'full_refresh', '--incremental-field', 'updated_at'],
      names: ['updated_at', 'full_refresh', '--sync-method incremental'],
    },
    { argv: ['--give-up-after', '-1'], names: ['--give-up-after'] },
    { argv: ['--base-url', 'http://example.com'], names: ['"http://example.com"', 'https://'] },
    { argv: ['--base-url', 'https://me:password@127.0.0.1'], names: ['base URL', 'user name'] },
  ])('$argv', async ({ argv, names }) => {
    const sandbox = await sandboxOf();
    const destination = join(await temporaryFolder(), 'warehouse');
    const all = ['--to', destination, '--base-url', sandbox.url, ...argv];
    const { code, out, err } = await sync(all);
    for (const name of names) expect(err).toContain(name);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect((await syncJson(all)).printed).toMatchObject({ error: 'UsageError' });
    expect(sandbox.requests).toEqual([]);
    expect(await isThere(destination)).toBe(false);
  });

  it('no destination', async () => {
    const { code, err } = await sync(['incidents']);
    expect(code).toBe(2);
    for (const name of ['--to', 'incident-io.json']) expect(err).toContain(name);
  });
});

describe('a key', () => {
  it('that is missing is refused with its variable, and nothing is created', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', undefined);
    const sandbox = await sandboxOf();
    const destination = join(await temporaryFolder(), 'warehouse');
    await expectRefused(['--to', destination, '--base-url', sandbox.url], {
      code: 1,
      error: 'KeyMissingError',
      names: ['INCIDENT_IO_API_KEY'],
    });
    expect(await isThere(destination)).toBe(false);
    expect(sandbox.requests).toEqual([]);
  });

  it('that is wrong is refused with the place to create one, and nothing is created', async () => {
    const sandbox = await sandboxOf({ key: { key: 'another' } });
    const destination = join(await temporaryFolder(), 'warehouse');
    await expectRefused(['--to', destination, '--base-url', sandbox.url], {
      code: 1,
      error: 'CredentialsError',
      names: ['/v1/identity', '401', 'Settings → API keys'],
    });
    expect(await isThere(destination)).toBe(false);
  });

  it('in a file that is missing, empty, a folder or has spaces is refused with the file, not the key', async () => {
    const sandbox = await sandboxOf();
    const folder = await temporaryFolder();
    const destination = join(folder, 'warehouse');
    const syncWith = (file: string) => ['--to', destination, '--base-url', sandbox.url, '--key-file', file];
    await writeFile(join(folder, 'empty'), '\n');
    await writeFile(join(folder, 'spaces'), `${secret} ${secret}\n`);
    for (const name of ['missing', 'empty']) {
      await expectRefused(syncWith(join(folder, name)), {
        code: 1,
        error: 'KeyMissingError',
        names: [join(folder, name)],
      });
    }
    await expectRefused(syncWith(folder), {
      code: 1,
      error: 'KeyMissingError',
      names: [folder, 'EISDIR'],
    });
    await expectRefused(syncWith(join(folder, 'spaces')), {
      code: 2,
      error: 'UsageError',
      names: [join(folder, 'spaces'), 'spaces'],
    });
    expect(await isThere(destination)).toBe(false);
    expect(sandbox.requests).toEqual([]);
  });

  it('that lacks a scope fails only that table, and the scope is named', async () => {
    const scopes = [
      'incidents.view',
      'incident_statuses.view',
      'severities.view',
      'users.view',
      'schedules.view',
    ];
    const sandbox = await sandboxOf({ key: { key: secret, scopes } });
    const destination = await temporaryFolder();
    const tables = ['incidents', 'alerts', 'users'];
    const argv = [...tables, '--to', destination, '--base-url', sandbox.url];
    const { code, out, err } = await sync(argv);
    expect(code).toBe(1);
    expect(out).toMatch(/^incidents +40 /m);
    expect(out).toMatch(/^users +5 /m);
    expect(out).toMatch(/^alerts +failed$/m);
    expect(err).toMatch(/error: alerts: .*403.*alerts\.view.*\n {2}→ .*alerts\.view/);
    expect((await readWithDeltaRs(join(destination, 'incidents'))).rows).toHaveLength(40);
    expect(await isThere(join(destination, 'alerts'))).toBe(false);

    const json = await syncJson(argv);
    expect(json.code).toBe(1);
    const byName = new Map(json.printed.runs?.map((one) => [one.table, one]));
    expect([...byName.keys()].toSorted()).toEqual(tables.toSorted());
    expect(byName.get('users')?.outcome).toBe('synced');
    expect(byName.get('alerts')).toMatchObject({
      outcome: 'failed',
      error: 'PermissionError',
      advice: expect.stringContaining('alerts.view') as string,
    });
  });
});

describe('a destination', () => {
  it('that is a file, or in one, is refused and stays as it is', async () => {
    const sandbox = await sandboxOf();
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'mine');
    for (const destination of [file, join(file, 'below')]) {
      await expectRefused(['--to', destination, '--base-url', sandbox.url], {
        code: 1,
        error: 'DestinationError',
        names: [destination],
      });
    }
    expect(await filesIn(join(file, '..'))).toEqual([file]);
  });

  it('with a Delta table that is not ours fails that table alone, which stays as it is', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    await mkdir(join(destination, 'users'));
    await changeWithDeltaRs(join(destination, 'users'), { change: 'create' });
    const before = await filesIn(join(destination, 'users'));
    const argv = ['severities', 'users', '--to', destination, '--base-url', sandbox.url];
    const { code, out, err } = await sync(argv);
    expect(code).toBe(1);
    expect(out).toMatch(/^severities +\d/m);
    expect(out).toMatch(/^users +failed$/m);
    expect(err).toMatch(/error: .*users .*\n {2}→ /);
    expect(await filesIn(join(destination, 'users'))).toEqual(before);
    // If no table is left to sync, no server is started.
    await rm(join(destination, 'severities'), { recursive: true });
    const state = await temporaryFolder();
    vi.stubEnv('TEMPORAL_ADDRESS', undefined);
    vi.stubEnv('XDG_STATE_HOME', state);
    const alone = await syncJson(['users', '--to', destination, '--base-url', sandbox.url]);
    expect(alone).toMatchObject({
      code: 1,
      printed: { runs: [{ table: 'users', outcome: 'failed', error: 'DestinationError' }] },
    });
    expect(await readdir(state)).toEqual([]);
  });

  it('that is fed by another account is refused, and its tables stay as they are', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const argv = ['users', '--to', destination, '--base-url', sandbox.url];
    expect((await sync(argv)).code).toBe(0);
    const before = await filesIn(destination);
    sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/other' });
    await expectRefused(argv, {
      code: 1,
      error: 'AccountMismatchError',
      names: ['users', destination, 'https://app.incident.io/sandbox', 'https://app.incident.io/other'],
    });
    expect(await filesIn(destination)).toEqual(before);
  });
});

it('fails a table with a record that has no id, without showing its values', async () => {
  const sandbox = await sandboxOf({
    transform: (record, table) =>
      table === 'users' && record['name'] !== undefined ? { name: 'Ada Private' } : record,
  });
  const destination = await temporaryFolder();
  const argv = ['users', 'severities', '--to', destination, '--base-url', sandbox.url];
  const { code, out, err } = await sync(argv);
  expect(code).toBe(1);
  expect(err).toMatch(/error: users: .*record 1 .*id/);
  expect(out + err).not.toContain('Ada');
  expect(await isThere(join(destination, 'users'))).toBe(false);
  expect(await isThere(join(destination, 'severities'))).toBe(true);
  expect(await filesIn(join(destination, '_staging'))).toEqual([]);
});

it('says that no Temporal server answers, and leaves nothing behind', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
  const sandbox = await sandboxOf();
  const destination = join(await temporaryFolder(), 'warehouse');
  const argv = ['users', '--to', destination, '--base-url', sandbox.url];
  const { code, out, err } = await sync(argv);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/error: .*127\.0\.0\.1:1.*\n {2}→ .*TEMPORAL_ADDRESS/);
  const { printed } = await syncJson(argv);
  expect(printed.error).toBe('TemporalUnavailableError');
  expect(await filesIn(destination)).toEqual([]);
});

it('prints one JSON object, with the figures of every table, and nothing else on standard output', async () => {
  const sandbox = await sandboxOf();
  const destination = await temporaryFolder();
  const { code, printed } = await syncJson([
    'users',
    'severities',
    '--to',
    destination,
    '--base-url',
    sandbox.url,
  ]);
  expect(code).toBe(0);
  expect(printed).toMatchObject({ destination });
  expect(printed.runs?.map(({ table }) => table).toSorted()).toEqual(['severities', 'users']);
  const users = printed.runs?.find(({ table }) => table === 'users');
  expect(users).toMatchObject({
    outcome: 'synced',
    rows: 5,
    full_read: true,
    inserted: 5,
    rows_read: 5,
  });
});

it('cancels its run when it is interrupted, and nothing stays staged', async () => {
  const sandbox = await sandboxOf({ sizes: { alerts: 2_000 }, latencyMs: 20 });
  const destination = await temporaryFolder();
  const interrupt = new AbortController();
  sandbox.fault({
    fault: { kind: 'without', headers: 'rate-limit' },
    when: ({ table, params }) => {
      // In the middle of the paging, which then continues slowly.
      if (table === 'alerts' && params.has('after')) interrupt.abort();
      sandbox.latencyMs = interrupt.signal.aborted ? 1_000 : 20;
      return false;
    },
  });
  const { code, out } = await sync(['alerts', '--to', destination, '--base-url', sandbox.url], {
    signal: interrupt.signal,
  });
  expect(code).toBe(130);
  expect(out).toMatch(/^alerts +cancelled$/m);
  const handle = new Client({ connection }).workflow.getHandle(tableWorkflowId(destination, 'alerts'));
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(await filesIn(destination)).toEqual([]);
});

it('reports a run that was cancelled from elsewhere as an error', async () => {
  const sandbox = await sandboxOf({ sizes: { alerts: 2_000 }, latencyMs: 20 });
  const destination = await temporaryFolder();
  const cancelled = new Client({ connection }).workflow.getHandle(tableWorkflowId(destination, 'alerts'));
  sandbox.fault({
    fault: { kind: 'without', headers: 'rate-limit' },
    when: ({ table, params }) => {
      if (table === 'alerts' && params.has('after')) void cancelled.cancel();
      return false;
    },
  });
  const { code, out, err } = await sync(['alerts', '--to', destination, '--base-url', sandbox.url]);
  expect(code).toBe(1);
  expect(err).toMatch(/error: alerts: .*cancelled.*\n {2}→ /);
  expect(out).not.toContain('Tables are in');
});

it(
  'continues when the embedded server that it started is killed, and says so',
  { timeout: 180_000 },
  async () => {
    const sandbox = await sandboxOf({ sizes: { alerts: 6_000 }, latencyMs: 50 });
    const folder = await temporaryFolder();
    const destination = join(folder, 'warehouse');
    const args = ['sync', 'alerts', 'users', '--to', destination, '--base-url', sandbox.url];
    const command = startCommand(args, { TEMPORAL_ADDRESS: '', XDG_STATE_HOME: folder });
    await command.says('reading');
    const { server } = await readRecord(join(folder, 'incident-io-source'));
    process.kill(server!.pid, 'SIGKILL');
    await command.says('answers again');
    expect(await command.ended).toBe(0);
    expect(command.out()).toMatch(/^alerts +6,000 /m);
    expect(await readRecord(join(folder, 'incident-io-source'))).toMatchObject({ server: null });
  },
);

it('demo syncs data up to today, and ends with a command that works', { timeout: 180_000 }, async () => {
  const folder = await temporaryFolder();
  const destination = join(folder, 'a warehouse');
  const demo = startCommand(['demo', '--to', destination], { TMPDIR: folder });
  expect(await demo.ended).toBe(0);
  const last = demo.out().trimEnd().split('\n').at(-1)!;
  const [, sql, from] = /incident-io-source query "(.*)" --from '(.*)'$/.exec(last)!;
  expect(from).toBe(destination);
  expect(await cli(['query', sql!, '--from', from!])).toMatchObject({ code: 0 });
  const newest = await cli(['query', 'SELECT max(created_at) AS at FROM alerts', '--from', from!, '--json']);
  const [{ at }] = JSON.parse(newest.out) as [{ at: string }];
  expect(Date.now() - Date.parse(at)).toBeLessThan(2 * 86_400_000);
});

it('demo says that it was interrupted, and leaves nothing behind', async () => {
  const temporary = await temporaryFolder();
  const demo = startCommand(['demo'], { TMPDIR: temporary });
  // The first word of its progress: on a fast machine no table may still be planning by then.
  await demo.says('alerts');
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  expect(demo.err()).toMatch(/\nInterrupted\.\n$/);
  expect(demo.out()).toBe('');
  expect(await readdir(temporary)).toEqual([]);
});
