import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ScheduleNotFoundError } from '@temporalio/client';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createActivities } from '../../../activities/index.ts';
import { ownKeyFile } from '../../../src/settings/key-file.ts';
import { run } from '../../../src/cli/run.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { readSettings } from '../../../src/settings/file.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';
import { scheduleId, workerQueue } from '../../../src/temporal/names.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { createWorker } from '../../../src/serving/create-worker.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { cli, type CliOptions, type Finished } from '../../helpers/cli.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
const { client } = temporal;
// What the commands under test connect to, and where they keep keys.
vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
afterAll(() => vi.unstubAllEnvs());

const sizes = {
  incidents: 300,
  alerts: 200,
  users: 20,
  incident_updates: 10,
  follow_ups: 10,
  escalations: 10,
};

/** A folder, a sandbox and a name for one connection; what is left of its schedules is deleted after the test. */
async function place(options: SandboxOptions = {}) {
  const folder = await temporaryFolder();
  vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'));
  const sandbox = await startSandbox({ limits: 'off', sizes, ...options });
  onTestFinished(() => sandbox.stop());
  const connection = unique('link');
  onTestFinished(() => deleteSchedules(connection));
  const settings = join(folder, 'incident-io.json');
  const destination = join(folder, 'warehouse');
  const link = (args: readonly string[] = [], io: CliOptions = {}): Promise<Finished> => {
    const where = ['--connection', connection, '--to', destination, '--settings', settings];
    return cli(['link', ...where, '--base-url', sandbox.url, ...args], io);
  };
  /** With the sandbox's key on standard input. */
  const linkByKey = (...args: string[]) =>
    link(['--key-stdin', '--yes', ...args], { stdin: `${sandbox.key}\n` });
  return { folder, sandbox, connection, settings, destination, link, linkByKey };
}

async function deleteSchedules(connection: string): Promise<void> {
  for (const id of await schedulesOf(connection)) await client.schedule.getHandle(id).delete();
}

async function schedulesOf(connection: string): Promise<string[]> {
  const ids = tables.map(({ name }) => scheduleId(connection, name));
  const found = await Promise.all(
    ids.map((id) =>
      client.schedule
        .getHandle(id)
        .describe()
        .then(
          () => [id],
          (error: unknown) => {
            if (error instanceof ScheduleNotFoundError) return [];
            throw error;
          },
        ),
    ),
  );
  return found.flat();
}

/** The workflow id of a schedule's run. Throws where there is none yet. */
async function onlyRun(id: string): Promise<string> {
  const { info } = await client.schedule.getHandle(id).describe();
  const [run] = info.runningActions;
  if (!run) throw new Error(`${id} has started no run`);
  return run.workflow.workflowId;
}

/** Serves the queue of scheduled runs while `work` lasts. */
async function serving(destination: string, work: () => Promise<void>): Promise<void> {
  const { connection, namespace, workflowBundle } = temporal;
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  try {
    const worker = await createWorker({
      connection,
      namespace,
      taskQueue: workerQueue(destination),
      activities: createActivities({ tableNamed, warehouse }),
      workflowBundle,
    });
    await worker.runUntil(work);
  } finally {
    await warehouse.close();
  }
}

async function expectTruthSoon(sandbox: Sandbox, destination: string, names: ('incidents' | 'users')[]) {
  await vi.waitFor(() => expectTruth(sandbox, destination, names), { timeout: 40_000, interval: 500 });
}

/** Files below a folder that hold the text, relative to it. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const held = await Promise.all(files.map(async (file) => (await readFile(file)).includes(text)));
  return files.filter((_, index) => held[index]).map((file) => file.slice(folder.length + 1));
}

describe('link by options', () => {
  it('keeps tables current until unlink, which leaves the tables and nothing else', async () => {
    const { folder, sandbox, connection, settings, destination, linkByKey } = await place();
    const key = sandbox.addKey({ key: 'sandbox-key-that-nobody-may-find' });
    const linked = await cli(
      [
        'link',
        '--connection',
        connection,
        '--to',
        destination,
        '--settings',
        settings,
        '--yes',
        '--key-stdin',
      ].concat([
        '--base-url',
        sandbox.url,
        '--tables',
        'incidents,users',
        '--every',
        '2s',
        '--every',
        'users=3s',
      ]),
      { stdin: key },
    );
    expect(linked.err).toBe('');
    expect(linked.code).toBe(0);
    expect(await schedulesOf(connection)).toHaveLength(2);
    expect((await readSettings(settings)).tables).toMatchObject({
      incidents: { syncMethod: 'incremental', every: '2s' },
      users: { syncMethod: 'full_refresh', every: '3s' },
    });

    await serving(destination, async () => {
      await expectTruthSoon(sandbox, destination, ['incidents', 'users']);
      sandbox.change('incidents', sandbox.idAt('incidents', 7), { name: 'changed' });
      sandbox.create('incidents', { mode: 'test' });
      sandbox.remove('users', sandbox.idAt('users', 3));
      await expectTruthSoon(sandbox, destination, ['incidents', 'users']);

      const keyFile = ownKeyFile(connection);
      expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
      expect(await filesWith(folder, key)).toEqual([keyFile.slice(folder.length + 1)]);
      expect(linked.out).not.toContain(key);
      const { action } = await client.schedule.getHandle(scheduleId(connection, 'users')).describe();
      expect(JSON.stringify(action)).not.toContain(key);

      const again = await linkByKey();
      expect(again).toMatchObject({ code: 2, err: expect.stringContaining('is there already') as string });
      const unlinked = await cli(['unlink', '--settings', settings, '--yes']);
      expect(unlinked).toMatchObject({ code: 0, err: '' });
      expect(unlinked.out).toContain(`The tables stay in ${destination}`);
    });
    expect(await schedulesOf(connection)).toEqual([]);
    expect(await filesWith(folder, key)).toEqual([]);
    expect(await readdir(folder)).toEqual(['config', 'warehouse']);
    const staged = await readdir(join(destination, '_staging')).catch(() => []);
    expect(staged.filter((name) => !name.startsWith('_'))).toEqual([]);
    await expectTruth(sandbox, destination, ['incidents', 'users']);
  });

  it('leaves out what the key may not read, and refuses it where it is named', async () => {
    const { sandbox, link, linkByKey, settings } = await place();
    sandbox.setScopes(sandbox.key, ['severities.view', 'users.view']);
    const named = await linkByKey('--tables', 'users,alerts');
    expect(named).toMatchObject({ code: 2 });
    expect(named.err).toContain('The key may not read alerts.\n  → Grant the API key alerts.view');
    const all = await linkByKey('--no-import');
    expect(all.code).toBe(0);
    expect(all.err).toContain('note: Grant the API key alerts.view, custom_fields.view');
    expect(Object.keys((await readSettings(settings)).tables)).toEqual(['severities', 'users']);
    sandbox.revokeKey(sandbox.key);
    const revoked = await link(['--key-stdin', '--yes', '--force'], { stdin: sandbox.key });
    expect(revoked).toMatchObject({ code: 1, err: expect.stringContaining('→ Create an API key') as string });
  });

  it.each([
    [['--every', '20m'], '--every is "20m", which is none of 5m'],
    [['--every', 'incident=15m'], 'There is no table "incident".'],
    [['--every', 'alerts=15m', '--tables', 'users'], '--every is given for alerts, which is not chosen.'],
    [
      ['--method', 'users=incremental'],
      '--method for users is "incremental", which is none of full_refresh.',
    ],
    [['--connection', 'Prod'], '"Prod" is no name for a connection.'],
  ])('refuses %j before anything is changed', async (args, problem) => {
    const { folder, linkByKey } = await place();
    const refused = await linkByKey(...args);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(problem);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses without a terminal and without --yes, after it has shown what it would do', async () => {
    const { folder, sandbox, link, connection } = await place();
    const refused = await link(['--key-stdin', '--tables', 'users'], { stdin: sandbox.key });
    expect(refused.code).toBe(2);
    expect(refused.out).toMatch(/users +create +full_refresh every 6h/);
    expect(refused.err).toContain('Add --yes');
    expect(await readdir(folder)).toEqual([]);
    expect(await schedulesOf(connection)).toEqual([]);
  });

  it('refuses a key that is not there, without repeating what may be the key itself', async () => {
    const { folder, link } = await place();
    const missing = await link(['--key-env', 'INCIDENT_IO_NOWHERE', '--yes']);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.err).toContain('variable INCIDENT_IO_NOWHERE holds none');
    const key = await link(['--key-env', 'inc-secret', '--yes']);
    expect(key.code).toBe(2);
    expect(key.err).not.toContain('inc-secret');
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells of a folder that is not there in a sentence, not by a stack', async () => {
    const { folder, linkByKey } = await place();
    const linked = await linkByKey('--settings', join(folder, 'nowhere', 'incident-io.json'));
    expect(linked).toMatchObject({ code: 1, out: '' });
    expect(linked.err).toMatch(/^error: ENOENT: .*nowhere'\n {2}→ Check that path[^\n]*\n$/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a destination that another account feeds', async () => {
    const { folder, sandbox, destination, linkByKey } = await place();
    await sync(temporal, sandbox, destination, { tables: ['severities'] });
    sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/other' }, sandbox.key);
    const refused = await linkByKey('--tables', 'severities');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('holds the account https://app.incident.io/sandbox');
    expect(await readdir(folder)).toEqual(['warehouse']);
  });

  it('refuses to take the schedules of a connection of the same name', async () => {
    const { folder, sandbox, connection, linkByKey, link } = await place();
    expect((await linkByKey('--tables', 'users', '--no-import')).code).toBe(0);
    const elsewhere = [
      '--settings',
      join(folder, 'b.json'),
      '--to',
      join(folder, 'b'),
      '--key-stdin',
      '--yes',
    ];
    const refused = await link(elsewhere, { stdin: sandbox.key });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`There is a connection ${connection} already`);
    expect(await readdir(folder)).toEqual(['config', 'incident-io.json', 'warehouse']);
  });
});

describe('unlink', () => {
  it('leaves no run and no staging where no worker answers', async () => {
    const { connection, destination, settings, linkByKey } = await place();
    expect((await linkByKey('--tables', 'users,incidents', '--json')).code).toBe(0);
    const runs = await vi.waitFor(async () => {
      const [users, incidents] = await Promise.all((await schedulesOf(connection)).map(onlyRun));
      return [users!, incidents!];
    });
    const staged = join(destination, '_staging', 'users', 'run');
    await mkdir(staged, { recursive: true });
    await writeFile(join(staged, 'part.parquet'), '');
    const unlinked = await cli(['unlink', '--settings', settings, '--yes', '--json']);
    expect(unlinked).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(unlinked.out)).toMatchObject({ schedules: ['incidents', 'users'], destination });
    for (const id of runs) {
      expect((await client.workflow.getHandle(id).describe()).status.name).toBe('TERMINATED');
    }
    expect(await readdir(join(destination, '_staging'))).not.toContain('users');
  });

  it('keeps a key file that it did not write', async () => {
    const { folder, sandbox, settings, link } = await place();
    const file = join(folder, 'key');
    await writeFile(file, sandbox.key);
    expect((await link(['--key-file', file, '--yes', '--no-import', '--tables', 'users'])).code).toBe(0);
    expect((await cli(['unlink', '--settings', settings, '--yes'])).code).toBe(0);
    expect(await readdir(folder)).toEqual(['key', 'warehouse']);
  });
});

describe('link --force', () => {
  it('replaces the same connection, with the key it no longer uses, and no other one', async () => {
    const { folder, sandbox, connection, settings, link, linkByKey } = await place();
    expect((await linkByKey('--tables', 'users', '--no-import')).code).toBe(0);
    const file = join(folder, 'key');
    await writeFile(file, sandbox.key);
    const again = await link([
      '--force',
      '--key-file',
      file,
      '--yes',
      '--no-import',
      '--tables',
      'severities',
    ]);
    expect(again.code).toBe(0);
    expect(again.out).toMatch(/users +delete/);
    expect(await filesWith(folder, sandbox.key)).toEqual(['key']);
    expect(await schedulesOf(connection)).toEqual([scheduleId(connection, 'severities')]);

    const other = [
      'link',
      '--connection',
      unique('other'),
      '--to',
      join(folder, 'other'),
      '--settings',
      settings,
    ];
    const refused = await cli([...other, '--base-url', sandbox.url, '--key-file', file, '--yes', '--force']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain(`is of the connection ${connection}`);
  });
});

describe('link by questions', () => {
  it('needs a key and otherwise Enter, and never shows the key', async () => {
    const { folder, sandbox, connection, settings, destination } = await place();
    const key = sandbox.addKey({ key: 'sandbox-key-typed', scopes: ['users.view', 'severities.view'] });
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    let shown = '';
    const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 });
    const answers: [question: string, keys: string][] = [
      ['Paste the API key', 'wrong\r'],
      ['does not know this key', `${key}\r`],
      ['The tables', '\r'],
      ['Keep any of them otherwise', '\r'],
      ['The folder of the tables, or s3://', '\r'],
      ['A name for this connection', '\r'],
      ['Where the worker finds the key', '\r'],
      ['Link this connection?', '\r'],
    ];
    screen.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      const [question, keys] = answers[0] ?? ['', ''];
      if (question === '' || !shown.includes(question)) return;
      answers.shift();
      shown = shown.slice(shown.indexOf(question) + question.length);
      all += question;
      setImmediate(() => stdin.write(keys));
    });
    let all = '';
    let output = '';
    screen.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const where = ['--settings', settings, '--base-url', sandbox.url, '--connection', connection];
    answers.splice(5, 1);
    answers.splice(4, 1);
    const code = await run(['link', ...where, '--to', destination], {
      stdin,
      stdout: screen,
      stderr: screen,
      signal: new AbortController().signal,
    });
    expect(answers).toEqual([]);
    expect(code).toBe(0);
    expect(output).not.toContain(key);
    expect(output).toContain('alerts.view');
    expect((await readSettings(settings)).apiKey).toEqual({ file: ownKeyFile(connection) });
    expect((await readFile(ownKeyFile(connection), 'utf8')).trim()).toBe(key);
    expect(await schedulesOf(connection)).toHaveLength(2);
    expect(await filesWith(folder, key)).toHaveLength(1);
    expect(all).not.toBe('');
  });
});

describe('apply', () => {
  it('prints the difference, asks, and the second time there is nothing to change', async () => {
    const { settings, connection, linkByKey } = await place();
    expect((await linkByKey('--tables', 'users,severities', '--no-import')).code).toBe(0);
    const apply = (...args: string[]) => cli(['apply', '--settings', settings, ...args]);
    expect(await apply()).toMatchObject({ code: 0, out: 'nothing to change\n', err: '' });

    const file = JSON.parse(await readFile(settings, 'utf8')) as { tables: { [table: string]: object } };
    file.tables = { users: { every: '30m' }, incident_types: {} };
    await writeFile(settings, JSON.stringify(file));
    const before = await schedulesOf(connection);
    for (const refused of [await apply(), await apply('--json')]) {
      expect(refused).toMatchObject({ code: 2 });
    }
    const dry = await apply('--dry-run');
    expect(dry.out).toMatch(/incident_types +create +full_refresh every 6h\n/);
    expect(dry.out).toMatch(/severities +delete/);
    expect(dry.out).toMatch(/users +update +every: 6h → 30m\n/);
    expect(await schedulesOf(connection)).toEqual(before);

    const done = await apply('--yes', '--json');
    expect(JSON.parse(done.out)).toMatchObject({ connection, applied: true });
    expect(await schedulesOf(connection)).toEqual([
      scheduleId(connection, 'incident_types'),
      scheduleId(connection, 'users'),
    ]);
    const [again, machine] = [await apply('--yes'), await apply('--yes', '--json')];
    expect(again.out).toBe('nothing to change\n');
    expect(JSON.parse(machine.out)).toMatchObject({
      applied: false,
      changes: [{ change: 'none' }, { change: 'none' }],
    });
  });

  it('refuses a key reference that resolves to nothing, and changes nothing', async () => {
    const { folder, connection, destination } = await place();
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'incident-io.json');
    const apiKey = { env: 'INCIDENT_IO_NOWHERE' };
    await writeFile(
      file,
      JSON.stringify({ version: 1, connection, apiKey, destination, tables: { users: {} } }),
    );
    const refused = await cli(['apply', '--settings', file, '--yes']);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('variable INCIDENT_IO_NOWHERE holds none');
    expect(await schedulesOf(connection)).toEqual([]);
  });
});
