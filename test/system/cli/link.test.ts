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
import { defaultTables, tableNamed, tables } from '../../../src/tables/index.ts';
import { scheduleId, workerQueue } from '../../../src/temporal/names.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { createWorker } from '../../../src/serving/create-worker.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { cli, type CliOptions, type Finished } from '../../helpers/cli.ts';
import { changeWithDeltaRs } from '../../helpers/delta-reader.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
const { client } = temporal;
// The server that the commands under test connect to.
vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
afterAll(() => vi.unstubAllEnvs());

/** Tables that any key can read. */
const readableByAny = defaultTables.filter(({ scope }) => scope === undefined).map(({ name }) => name);

/** How `link` counts a key whose scopes let it read this many tables. */
const canRead = (byScope: number) =>
  `can read ${byScope + readableByAny.length} of ${defaultTables.length} tables`;

const sizes = {
  incidents: 300,
  alerts: 200,
  users: 20,
  incident_updates: 10,
  follow_ups: 10,
  escalations: 10,
};

/** A folder, a sandbox and a name for one connection. Its schedules are deleted after the test. */
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

/** The workflow id of a schedule's run. Throws if there is none yet. */
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
      taskQueue: workerQueue({ destination }),
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

/** The files below a folder that contain the text, as paths relative to it. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const held = await Promise.all(files.map(async (file) => (await readFile(file)).includes(text)));
  return files.filter((_, index) => held[index]).map((file) => file.slice(folder.length + 1));
}

describe('link by options', () => {
  it('keeps tables current until unlink, which leaves only the tables', async () => {
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
      expect(again).toMatchObject({ code: 2, err: expect.stringContaining(settings) as string });
      const unlinked = await cli(['unlink', '--settings', settings, '--yes']);
      expect(unlinked).toMatchObject({ code: 0, err: '' });
      expect(unlinked.out).toContain(destination);
    });
    expect(await schedulesOf(connection)).toEqual([]);
    expect(await filesWith(folder, key)).toEqual([]);
    expect(await readdir(folder)).toEqual(['config', 'warehouse']);
    const staged = await readdir(join(destination, '_staging')).catch(() => []);
    expect(staged.filter((name) => !name.startsWith('_'))).toEqual([]);
    await expectTruth(sandbox, destination, ['incidents', 'users']);
  });

  it('leaves out tables that the key cannot read, and refuses them if they are named', async () => {
    const { sandbox, link, linkByKey, settings } = await place();
    sandbox.setScopes(sandbox.key, ['severities.view', 'users.view']);
    const named = await linkByKey('--tables', 'users,alerts');
    expect(named).toMatchObject({ code: 2 });
    expect(named.err).toMatch(/alerts[^]*→.* alerts\.view /);
    const all = await linkByKey('--no-import');
    expect(all.code).toBe(0);
    for (const scope of ['alerts.view', 'custom_fields.view']) expect(all.err).toContain(scope);
    expect(new Set(Object.keys((await readSettings(settings)).tables))).toEqual(
      new Set([...readableByAny, 'severities', 'users']),
    );
    sandbox.revokeKey(sandbox.key);
    const revoked = await link(['--key-stdin', '--yes', '--force'], { stdin: sandbox.key });
    expect(revoked).toMatchObject({ code: 1, err: expect.stringContaining('401') as string });
  });

  it.each([
    [
      ['--every', '20m'],
      ['--every', '20m', '5m, 15m'],
    ],
    [
      ['--every', 'incident=15m'],
      ['"incident"', 'incidents'],
    ],
    [
      ['--every', 'alerts=15m', '--tables', 'users'],
      ['--every', 'alerts', '--tables'],
    ],
    [
      ['--sync-method', 'users=incremental'],
      ['--sync-method incremental', 'users', 'full_refresh'],
    ],
    [
      ['--sync-method', 'incremntal'],
      ['--sync-method', '"incremntal"', 'incremental'],
    ],
    [
      ['--connection', 'Prod'],
      ['"Prod"', '--connection'],
    ],
  ])('refuses %j before anything is changed', async (args, named) => {
    const { folder, linkByKey } = await place();
    const refused = await linkByKey(...args);
    expect(refused.code).toBe(2);
    for (const value of named) expect(refused.err).toContain(value);
    expect(await readdir(folder)).toEqual([]);
  });

  it('shows what it would do and refuses, without a terminal and without --yes', async () => {
    const { folder, sandbox, link, connection } = await place();
    const refused = await link(['--key-stdin', '--tables', 'users'], { stdin: sandbox.key });
    expect(refused.code).toBe(2);
    expect(refused.out).toMatch(/users +create +full_refresh every 6h/);
    expect(refused.err).toContain('--yes');
    expect(await readdir(folder)).toEqual([]);
    expect(await schedulesOf(connection)).toEqual([]);
  });

  it('refuses a key that does not exist, without repeating what may be the key itself', async () => {
    const { folder, link } = await place();
    const missing = await link(['--key-env', 'INCIDENT_IO_NOWHERE', '--yes']);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.err).toContain('INCIDENT_IO_NOWHERE');
    const key = await link(['--key-env', 'inc-secret', '--yes']);
    expect(key.code).toBe(2);
    expect(key.err).not.toContain('inc-secret');
    expect(await readdir(folder)).toEqual([]);
  });

  it('reports a folder that does not exist in a sentence, not with a stack', async () => {
    const { folder, linkByKey } = await place();
    const linked = await linkByKey('--settings', join(folder, 'nowhere', 'incident-io.json'));
    expect(linked).toMatchObject({ code: 1, out: '' });
    expect(linked.err).toMatch(/^error: ENOENT: .*nowhere'\n {2}→ [^\n]*\n$/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a destination that belongs to another account', async () => {
    const { folder, sandbox, destination, linkByKey } = await place();
    await sync(temporal, sandbox, destination, { tables: ['severities'] });
    sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/other' }, sandbox.key);
    const refused = await linkByKey('--tables', 'severities');
    expect(refused.code).toBe(1);
    for (const account of ['sandbox', 'other']) {
      expect(refused.err).toContain(`https://app.incident.io/${account}`);
    }
    expect(await readdir(folder)).toEqual(['warehouse']);
  });

  it('links and applies the other tables if one cannot be read', async () => {
    const { connection, settings, destination, linkByKey } = await place();
    const users = join(destination, 'users');
    await mkdir(users, { recursive: true });
    await changeWithDeltaRs(users, { change: 'create' });
    const linked = await linkByKey('--tables', 'users,severities', '--no-import');
    expect(linked.code).toBe(0);
    expect(linked.err).toMatch(new RegExp(`^note: users: .*${destination}`, 'm'));
    const file = JSON.parse(await readFile(settings, 'utf8')) as { tables: { [table: string]: object } };
    file.tables['incident_types'] = {};
    await writeFile(settings, JSON.stringify(file));
    const applied = await cli(['apply', '--settings', settings, '--yes']);
    expect(applied.code).toBe(0);
    expect(applied.err).toMatch(new RegExp(`^note: users: .*${destination}`, 'm'));
    expect(await schedulesOf(connection)).toHaveLength(3);
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
    for (const named of [connection, join(folder, 'b')]) expect(refused.err).toContain(named);
    expect(await readdir(folder)).toEqual(['config', 'incident-io.json', 'warehouse']);
  });
});

describe('unlink', () => {
  it('leaves no run and nothing staged, even if no worker responds', async () => {
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

  it('keeps a key file that link did not write', async () => {
    const { folder, sandbox, settings, link } = await place();
    const file = join(folder, 'key');
    await writeFile(file, sandbox.key);
    expect((await link(['--key-file', file, '--yes', '--no-import', '--tables', 'users'])).code).toBe(0);
    expect((await cli(['unlink', '--settings', settings, '--yes'])).code).toBe(0);
    expect(await readdir(folder)).toEqual(['key', 'warehouse']);
  });
});

describe('link --force', () => {
  it('replaces a connection and its old key file, but not the settings of another connection', async () => {
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
    expect(refused.err).toContain(connection);
  });
});

/** Answers questions on a terminal, each when it appears. A function is called for the keys to press. */
async function answering(
  argv: readonly string[],
  answers: readonly (readonly [question: string, keys: string | (() => string)])[],
): Promise<Finished & { readonly unanswered: number }> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 40 });
  const left = [...answers];
  let shown = '';
  let out = '';
  screen.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    shown += chunk.toString();
    const [question, keys] = left[0] ?? ['', ''];
    if (question === '' || !shown.includes(question)) return;
    left.shift();
    shown = shown.slice(shown.indexOf(question) + question.length);
    setImmediate(() => stdin.write(typeof keys === 'string' ? keys : keys()));
  });
  const { signal } = new AbortController();
  const code = await run(argv, { stdin, stdout: screen, stderr: screen, signal });
  return { code, out, err: '', unanswered: left.length };
}

/** Enter, arrow down, and Ctrl-U, which clears the line. */
const [enter, down, clear] = ['\r', '\u001b[B', '\u0015'];

describe('link by questions', () => {
  it('needs only a key and Enter, and never shows the key', async () => {
    const { folder, sandbox, connection, settings, destination } = await place();
    const key = sandbox.addKey({ key: 'sandbox-key-typed', scopes: ['users.view', 'severities.view'] });
    const where = ['--settings', settings, '--base-url', sandbox.url, '--connection', connection];
    const { code, out, unanswered } = await answering(
      ['link', ...where, '--to', destination],
      [
        ['Paste the API key', `wrong${enter}`],
        ['does not accept this key', `${key}${enter}`],
        [canRead(2), enter],
        ['Which tables', enter],
        ['Change how any table', enter],
        ['find the key', enter],
        ['Link this connection', enter],
      ],
    );
    expect({ code, unanswered }).toEqual({ code: 0, unanswered: 0 });
    expect(out).not.toContain(key);
    expect(out).toContain('alerts.view');
    expect((await readSettings(settings)).apiKey).toEqual({ file: ownKeyFile(connection) });
    expect((await readFile(ownKeyFile(connection), 'utf8')).trim()).toBe(key);
    expect(await schedulesOf(connection)).toHaveLength(2 + readableByAny.length);
    expect(await filesWith(folder, key)).toHaveLength(1);
  });

  it('checks the key again after a scope was granted, and takes another key', async () => {
    const { sandbox, connection, settings, destination } = await place();
    const none = sandbox.addKey({ key: 'sandbox-key-without-scopes', scopes: [] });
    const key = sandbox.addKey({ key: 'sandbox-key-with-one', scopes: ['users.view'] });
    const grant = () => {
      sandbox.setScopes(key, ['users.view', 'severities.view']);
      return down + enter;
    };
    const where = ['--settings', settings, '--base-url', sandbox.url, '--connection', connection];
    const { code, unanswered } = await answering(
      ['link', ...where, '--to', destination, '--no-import'],
      [
        ['Paste the API key', `${none}${enter}`],
        [canRead(0), down + down + enter],
        ['Paste the API key', `${key}${enter}`],
        [canRead(1), grant],
        [canRead(2), enter],
        ['Which tables', enter],
        ['Change how any table', enter],
        ['find the key', enter],
        ['Link this connection', enter],
      ],
    );
    expect({ code, unanswered }).toEqual({ code: 0, unanswered: 0 });
    expect(new Set(Object.keys((await readSettings(settings)).tables))).toEqual(
      new Set([...readableByAny, 'severities', 'users']),
    );
  });

  it('breaks no line within a word, and Node prints no warning between the questions', async () => {
    const { sandbox, connection, settings, destination } = await place();
    const warnings: Error[] = [];
    const warn = (warning: Error) => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const key = sandbox.addKey({ key: 'sandbox-key-of-lines', scopes: ['users.view', 'severities.view'] });
    const [first, second] = [...readableByAny, 'severities', 'users'].toSorted();
    const { code, out, unanswered } = await answering(
      ['link', '--settings', settings, '--base-url', sandbox.url],
      [
        ['Paste the API key', `${key}${enter}`],
        [canRead(2), enter],
        ['Which tables', enter],
        ['Change how any table', ` ${down} ${enter}`],
        [`${first}: sync method`, enter],
        [`${first}: sync frequency`, enter],
        [`${second}: sync method`, enter],
        [`${second}: sync frequency`, enter],
        ['Folder of the tables', clear + destination + enter],
        ['A name for this connection', clear + connection + enter],
        ['find the key', enter],
        ['Link this connection', enter],
      ],
    );
    expect({ code, unanswered, warnings }).toEqual({ code: 0, unanswered: 0, warnings: [] });
    // Only paths stay whole, because people copy them.
    const long = linesOf(out).filter((line) => line.length > 80 && !line.includes('/'));
    expect(long).toEqual([]);
    expect(out).toMatch(/^ {2}incident-io-source up --settings \S+$/m);
  });
});

describe('two connections with one destination', () => {
  it('are linked only after a warning that names the other one and the tables of both', async () => {
    const { folder, sandbox, connection, destination, linkByKey, link } = await place();
    expect((await linkByKey('--tables', 'users,severities', '--no-import')).code).toBe(0);
    await vi.waitFor(
      async () => {
        const listed: string[] = [];
        for await (const { scheduleId } of client.schedule.list()) listed.push(scheduleId);
        expect(listed).toContain(scheduleId(connection, 'users'));
        expect(listed).toContain(scheduleId(connection, 'severities'));
      },
      { timeout: 30_000 },
    );
    const other = unique('neighbour');
    onTestFinished(() => deleteSchedules(other));
    const second = ['--connection', other, '--settings', join(folder, 'second.json'), '--key-stdin'];
    const linked = await link([...second, '--tables', 'users', '--no-import', '--yes', '--json'], {
      stdin: sandbox.key,
    });
    expect(linked.code).toBe(0);
    for (const named of [connection, destination, 'users']) expect(linked.err).toContain(named);
    expect(JSON.parse(linked.out)).toMatchObject({
      other_connections: [{ connection, tables: ['severities', 'users'] }],
    });
  });
});

describe('apply', () => {
  it('prints the difference, asks for confirmation, and then finds nothing to change', async () => {
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
    expect(dry.err).toBe('');
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

  it('rewrites a settings file of version 1 after confirmation, and says what it renames', async () => {
    const { sandbox, connection, settings, destination } = await place();
    vi.stubEnv('LINK_TEST_KEY', sandbox.key);
    const old = {
      version: 1,
      connection,
      apiKey: { env: 'LINK_TEST_KEY' },
      baseUrl: sandbox.url,
      destination,
      tables: { users: {}, alerts: { sync: 'full_refresh' } },
    };
    const text = JSON.stringify(old);
    await writeFile(settings, text);
    const apply = (...args: string[]) => cli(['apply', '--settings', settings, ...args]);
    const renamed = ['tables.alerts.sync', 'tables.alerts.syncMethod'];
    const dry = await apply('--dry-run');
    for (const each of [settings, ...renamed]) expect(dry.out).toContain(each);
    expect(await apply()).toMatchObject({ code: 2 });
    expect(await readFile(settings, 'utf8')).toBe(text);

    const done = await apply('--yes', '--json');
    const [from, to] = renamed;
    expect(JSON.parse(done.out)).toMatchObject({ applied: true, renamed_settings: [{ from, to }] });
    expect(JSON.parse(await readFile(settings, 'utf8'))).toEqual({
      ...old,
      version: 2,
      tables: { users: {}, alerts: { syncMethod: 'full_refresh' } },
    });
    expect(await apply()).toMatchObject({ code: 0, err: '' });

    // If only the file is old, a pipeline without --yes continues as before.
    await writeFile(settings, text);
    const asked = await apply();
    expect(asked).toMatchObject({ code: 0 });
    expect(asked.err).toContain('--yes');
    expect(await readFile(settings, 'utf8')).toBe(text);
    expect(await apply('--yes')).toMatchObject({ code: 0 });
    expect(await apply('--dry-run', '--json')).toMatchObject({
      out: expect.stringContaining('"renamed_settings": []') as string,
    });
  });

  it('refuses a key reference that leads nowhere, and changes nothing', async () => {
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
    expect(refused.err).toContain('INCIDENT_IO_NOWHERE');
    expect(await schedulesOf(connection)).toEqual([]);
  });
});

/** The lines of a terminal's output, without colours. Every movement of the cursor counts as a line break. */
function linesOf(output: string): string[] {
  // Written as a number, because an escape character in the source would be invisible.
  const sequence = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*([a-zA-Z])`, 'g');
  return output.replaceAll(sequence, (_, kind: string) => (kind === 'm' ? '' : '\n')).split('\n');
}
