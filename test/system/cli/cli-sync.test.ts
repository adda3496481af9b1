import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
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

/** `sync` with these arguments. However it ends, it does not say the key. */
async function sync(argv: readonly string[], options?: CliOptions): Promise<Finished> {
  const finished = await cli(['sync', ...argv], options);
  expect(finished.out + finished.err).not.toContain(secret);
  return finished;
}

type Said = {
  readonly error: string;
  readonly message: string;
  readonly advice: string;
  readonly tables?: { table: string; status: string; error?: string; advice?: string }[];
};

async function syncJson(argv: readonly string[]): Promise<{ code: number; said: Said; err: string }> {
  const { code, out, err } = await sync([...argv, '--json']);
  return { code, said: JSON.parse(out) as Said, err };
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
 * Expects `sync` to be refused before it starts a server of its own, in words and as one JSON object, with what is
 * wrong and what to do.
 */
async function expectRefused(
  argv: readonly string[],
  expected: { code: number; error: string; message: string; advice: string },
): Promise<void> {
  const state = await temporaryFolder();
  vi.stubEnv('TEMPORAL_ADDRESS', undefined);
  vi.stubEnv('XDG_STATE_HOME', state);
  const { code, out, err } = await sync(argv);
  expect(err.split('\n').slice(0, 2)).toEqual([
    expect.stringContaining(`error: ${expected.message}`),
    expect.stringContaining(expected.advice),
  ]);
  expect(err.split('\n')[1]).toMatch(/^ {2}→ /);
  expect({ code, out }).toEqual({ code: expected.code, out: '' });

  const json = await syncJson(argv);
  expect(json).toMatchObject({ code: expected.code, err: '' });
  expect(json.said).toMatchObject({
    error: expected.error,
    message: expect.stringContaining(expected.message) as string,
    advice: expect.stringContaining(expected.advice) as string,
  });
  expect(await readdir(state)).toEqual([]);
}

describe('what cannot be right is refused before anything is asked, started or written', () => {
  it.each([
    {
      argv: ['incidnts'],
      message: 'There is no table "incidnts".',
      advice: 'Did you mean incidents? The tables are alerts,',
    },
    {
      argv: ['--method', 'incremntal'],
      message: 'Unknown --method "incremntal".',
      advice: 'Did you mean incremental?',
    },
    {
      argv: ['--incremental-field', 'update_at'],
      message: 'Unknown --incremental-field "update_at".',
      advice: 'Did you mean updated_at?',
    },
    {
      argv: ['severities', '--method', 'incremental'],
      message: 'severities does not take --method incremental.',
      advice: 'It takes full_refresh.',
    },
    {
      argv: ['severities', '--method', 'incremntal'],
      message: 'Unknown --method "incremntal".',
      advice: 'Did you mean incremental?',
    },
    {
      argv: ['alerts', '--method', 'incremental', '--incremental-field', 'created_at'],
      message: 'alerts does not take --incremental-field created_at.',
      advice: 'It takes updated_at.',
    },
    {
      argv: ['severities', '--incremental-field', 'update_at'],
      message: 'Unknown --incremental-field "update_at".',
      advice: 'Did you mean updated_at?',
    },
    {
      argv: ['severities', '--incremental-field', 'updated_at'],
      message: '--incremental-field updated_at is of no use to severities, which full_refresh reads whole.',
      advice: 'Leave it out.',
    },
    {
      argv: ['alerts', '--incremental-field', 'updated_at'],
      message: '--incremental-field updated_at is of no use to alerts, which full_refresh reads whole.',
      advice: 'Add --method incremental, or leave it out.',
    },
    {
      argv: ['--method', 'full_refresh', '--incremental-field', 'updated_at'],
      message: '--incremental-field updated_at is of no use to alerts, which full_refresh reads whole.',
      advice: 'leave it out.',
    },
    {
      argv: ['--give-up-after', '-1'],
      message: 'Give a number of minutes above 0.',
      advice: '--help',
    },
    {
      argv: ['--base-url', 'http://example.com'],
      message: 'The base URL "http://example.com" is not usable.',
      advice: 'Give an https:// address such as https://api.incident.io',
    },
    {
      argv: ['--base-url', 'https://me:password@127.0.0.1'],
      message: 'The base URL holds a user name or password.',
      advice: 'Leave them out',
    },
  ])('$argv', async ({ argv, message, advice }) => {
    const sandbox = await sandboxOf();
    const destination = join(await temporaryFolder(), 'warehouse');
    const all = ['--to', destination, '--base-url', sandbox.url, ...argv];
    const { code, out, err } = await sync(all);
    expect(err).toContain(message);
    expect(err).toContain(advice);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect((await syncJson(all)).said).toMatchObject({ error: 'UsageError' });
    expect(sandbox.requests).toEqual([]);
    expect(await isThere(destination)).toBe(false);
  });

  it('no destination', async () => {
    const { code, err } = await sync(['incidents']);
    expect(code).toBe(2);
    expect(err).toContain('There is neither --to nor a settings file incident-io.json.');
    expect(err).toContain('Give --to');
  });
});

describe('a key', () => {
  it('that is missing: says which variable, and nothing is made', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', undefined);
    const sandbox = await sandboxOf();
    const destination = join(await temporaryFolder(), 'warehouse');
    await expectRefused(['--to', destination, '--base-url', sandbox.url], {
      code: 1,
      error: 'KeyMissingError',
      message: 'The API key is missing: variable INCIDENT_IO_API_KEY has none.',
      advice: 'Set INCIDENT_IO_API_KEY where',
    });
    expect(await isThere(destination)).toBe(false);
    expect(sandbox.requests).toEqual([]);
  });

  it('that is wrong: says where to make one, and nothing is made', async () => {
    const sandbox = await sandboxOf({ key: { key: 'another' } });
    const destination = join(await temporaryFolder(), 'warehouse');
    await expectRefused(['--to', destination, '--base-url', sandbox.url], {
      code: 1,
      error: 'CredentialsError',
      message: 'GET /v1/identity: 401',
      advice: 'Settings → API keys',
    });
    expect(await isThere(destination)).toBe(false);
  });

  it('file that is missing, empty, a folder or holds spaces: says so, without the key', async () => {
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
        message: `The API key is missing: file ${join(folder, name)} has none.`,
        advice: 'Create that key file',
      });
    }
    await expectRefused(syncWith(folder), {
      code: 1,
      error: 'KeyMissingError',
      message: `The key file ${folder} cannot be read (EISDIR).`,
      advice: 'Create that key file',
    });
    await expectRefused(syncWith(join(folder, 'spaces')), {
      code: 2,
      error: 'UsageError',
      message: `The API key in file ${join(folder, 'spaces')} contains spaces or other characters that no key has.`,
      advice: 'Copy the key again',
    });
    expect(await isThere(destination)).toBe(false);
    expect(sandbox.requests).toEqual([]);
  });

  it('that lacks a scope fails that table alone, and names the scope', async () => {
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
    expect(err).toContain('error: alerts: GET /v2/alerts: 403 missing a required scope: alerts.view');
    expect(err).toContain('→ Grant the API key the scope alerts.view');
    expect((await readWithDeltaRs(join(destination, 'incidents'))).rows).toHaveLength(40);
    expect(await isThere(join(destination, 'alerts'))).toBe(false);

    const json = await syncJson(argv);
    expect(json.code).toBe(1);
    const byName = new Map(json.said.tables?.map((told) => [told.table, told]));
    expect([...byName.keys()].toSorted()).toEqual(tables.toSorted());
    expect(byName.get('users')?.status).toBe('synced');
    expect(byName.get('alerts')).toMatchObject({
      status: 'failed',
      error: 'PermissionError',
      advice: expect.stringContaining('alerts.view') as string,
    });
  });
});

describe('a destination', () => {
  it('that is a file, or lies below one, is refused and stays as it is', async () => {
    const sandbox = await sandboxOf();
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'mine');
    for (const destination of [file, join(file, 'below')]) {
      await expectRefused(['--to', destination, '--base-url', sandbox.url], {
        code: 1,
        error: 'DestinationError',
        message: `The destination ${destination} cannot be written to`,
        advice: 'Give a folder',
      });
    }
    expect(await filesIn(join(file, '..'))).toEqual([file]);
  });

  it('that holds a Delta table of somebody else is refused, and that table stays as it is', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    await mkdir(join(destination, 'users'));
    await changeWithDeltaRs(join(destination, 'users'), { change: 'create' });
    const before = await filesIn(destination);
    await expectRefused(['--to', destination, '--base-url', sandbox.url], {
      code: 1,
      error: 'DestinationError',
      message: `The Delta table users in ${destination} was not made by incident-io-source.`,
      advice: 'Sync into another destination',
    });
    expect(await filesIn(destination)).toEqual(before);
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
      message: `users in ${destination} holds the account https://app.incident.io/sandbox; the key belongs to https://app.incident.io/other.`,
      advice: 'Use another destination',
    });
    expect(await filesIn(destination)).toEqual(before);
  });
});

it('fails a table with a record that has no id, whose values it does not show', async () => {
  const sandbox = await sandboxOf({
    transform: (record, table) =>
      table === 'users' && record['name'] !== undefined ? { name: 'Ada Private' } : record,
  });
  const destination = await temporaryFolder();
  const argv = ['users', 'severities', '--to', destination, '--base-url', sandbox.url];
  const { code, out, err } = await sync(argv);
  expect(code).toBe(1);
  expect(err).toContain('error: users: record 1 of the batch has no id.');
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
  expect(err).toContain('error: No Temporal server answers at 127.0.0.1:1');
  expect(err).toContain('→ Check TEMPORAL_ADDRESS');
  const { said } = await syncJson(argv);
  expect(said.error).toBe('TemporalUnavailableError');
  expect(await filesIn(destination)).toEqual([]);
});

it('prints one JSON object, with the figures of every table, and nothing else on standard output', async () => {
  const sandbox = await sandboxOf();
  const destination = await temporaryFolder();
  const { code, said } = await syncJson([
    'users',
    'severities',
    '--to',
    destination,
    '--base-url',
    sandbox.url,
  ]);
  expect(code).toBe(0);
  expect(said).toMatchObject({ destination });
  expect(said.tables?.map(({ table }) => table).toSorted()).toEqual(['severities', 'users']);
  const users = said.tables?.find(({ table }) => table === 'users');
  expect(users).toMatchObject({
    status: 'synced',
    result: { rows: 5, fullRead: true, changes: { inserted: 5 }, read: { rows: 5 } },
  });
});

it('is cancelled by an interrupt in mid-run: the run too, and nothing stays staged', async () => {
  const sandbox = await sandboxOf({ sizes: { alerts: 2_000 }, latencyMs: 20 });
  const destination = await temporaryFolder();
  const interrupt = new AbortController();
  sandbox.fault({
    fault: { kind: 'without', headers: 'rate-limit' },
    when: ({ table, params }) => {
      // In the middle of the paging, after which it goes on slowly.
      if (table === 'alerts' && params.has('after')) interrupt.abort();
      sandbox.latencyMs = interrupt.signal.aborted ? 1_000 : 20;
      return false;
    },
  });
  const { code, out, err } = await sync(['alerts', '--to', destination, '--base-url', sandbox.url], {
    signal: interrupt.signal,
  });
  expect(code).toBe(130);
  expect(err).toContain('Interrupted.');
  expect(out).toMatch(/^alerts +cancelled$/m);
  const handle = new Client({ connection }).workflow.getHandle(tableWorkflowId(destination, 'alerts'));
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(await filesIn(destination)).toEqual([]);
});

it('says that somebody else cancelled its runs, where it was not interrupted itself', async () => {
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
  expect(err).toContain('error: alerts: somebody else cancelled its run.\n  → Run it again.');
  expect(out).not.toContain('Tables are in');
});

it('demo, interrupted in mid-run, says so and leaves nothing behind', async () => {
  const temporary = await temporaryFolder();
  const demo = startCommand(['demo'], { TMPDIR: temporary });
  // The first word of its progress: on a quick machine all tables may be beyond planning by then.
  await demo.says('alerts');
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  expect(demo.err()).toMatch(/\nInterrupted\.\n$/);
  expect(demo.out()).toBe('');
  expect(await readdir(temporary)).toEqual([]);
});
