import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { temporaryFolder } from '../helpers/sync.ts';
import { expectTruth } from '../helpers/truth.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const listed = ['incidents', 'alerts', 'incident_updates', 'users'] as const;

/** Starts `sync` in its own process. Everything it writes is below one folder. */
function startSync(folder: string, baseUrl: string, key: string, tables: readonly string[] = listed) {
  const child = spawn(
    process.execPath,
    [
      '--import',
      here('../helpers/run-typescript.mjs'),
      here('../../src/cli/main.ts'),
      'sync',
      ...tables,
      '--to',
      join(folder, 'warehouse'),
      '--base-url',
      baseUrl,
    ],
    {
      // A process group of its own, so that it can be killed as a whole.
      detached: true,
      env: {
        ...process.env,
        XDG_STATE_HOME: join(folder, 'state'),
        TMPDIR: folder,
        INCIDENT_IO_API_KEY: key,
      },
    },
  );
  let said = '';
  const heard = (text: Buffer) => void (said += text.toString());
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  return { child, said: () => said };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

it(
  'resumes after a SIGKILL of all processes, ends with the right tables, and writes the key nowhere',
  { timeout: 120_000 },
  async () => {
    const sandbox = await startSandbox({
      limits: 'off',
      latencyMs: 15,
      sizes: { incidents: 1_000, incident_updates: 1_000, alerts: 12_000, users: 50 },
    });
    onTestFinished(() => sandbox.stop());
    const key = sandbox.addKey({ key: 'inc_f5a1c4b19c2e47d8ae61d0c1' });
    const folder = await temporaryFolder();

    const first = startSync(folder, sandbox.url, key);
    // By then the first eight windows are staged, because only then are others started.
    const pages = (from = 0) => sandbox.requests.slice(from).filter(({ table }) => table === 'alerts').length;
    await expect.poll(() => pages(), { timeout: 60_000, interval: 5 }).toBeGreaterThan(220);
    const record = join(folder, 'state', 'incident-io-source', 'temporal-server.json');
    const { server } = JSON.parse(await readFile(record, 'utf8')) as { server: { pid: number } };
    process.kill(-first.child.pid!, 'SIGKILL');
    process.kill(server.pid, 'SIGKILL');
    await once(first.child, 'close');
    expect(first.child.signalCode).toBe('SIGKILL');

    const asked = sandbox.requests.length;
    const second = startSync(folder, sandbox.url, key);
    const [code] = (await once(second.child, 'close')) as [number];
    expect(second.said()).toMatch(/\bruns\b.*\balerts\b/);
    expect({ code, said: second.said() }).toMatchObject({ code: 0 });
    await expectTruth(sandbox, join(folder, 'warehouse'), listed);
    // Parts that were staged before the kill are not read again: the alerts alone have 240 pages.
    expect(pages(asked)).toBeLessThan(240);

    const files = await filesBelow(folder);
    expect(files.some((file) => file.endsWith('temporal.db'))).toBe(true);
    const holding = [];
    for (const file of files) if ((await readFile(file)).includes(key)) holding.push(file);
    expect(holding).toEqual([]);
    // A write that the kill interrupted has left its file in `_writes`, which only a sweep removes after a week.
    const staged = files.filter(
      (file) => file.includes('/_staging/') && !file.includes('/_staging/_writes/'),
    );
    expect(staged).toEqual([]);
  },
);

it(
  'after a SIGKILL, only rereads parents that were in a batch in progress',
  { timeout: 120_000 },
  async () => {
    const sandbox = await startSandbox({
      limits: 'off',
      latencyMs: 5,
      sizes: { incidents: 500, incident_updates: 1, follow_ups: 1, users: 5 },
    });
    onTestFinished(() => sandbox.stop());
    const folder = await temporaryFolder();
    const tables = ['incidents', 'call_sessions'];
    const asked = () =>
      sandbox.requests.flatMap(({ table, url }) =>
        table === 'call_sessions' ? [new URL(url, sandbox.url).searchParams.get('incident_id')] : [],
      );

    const first = startSync(folder, sandbox.url, sandbox.key, tables);
    // Eight windows of twenty-five incidents are read side by side, so the first ones are done by then.
    await expect.poll(() => asked().length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(320);
    const record = join(folder, 'state', 'incident-io-source', 'temporal-server.json');
    const { server } = JSON.parse(await readFile(record, 'utf8')) as { server: { pid: number } };
    process.kill(-first.child.pid!, 'SIGKILL');
    process.kill(server.pid, 'SIGKILL');
    await once(first.child, 'close');

    const second = startSync(folder, sandbox.url, sandbox.key, tables);
    const [code] = (await once(second.child, 'close')) as [number];
    expect({ code, said: second.said() }).toMatchObject({ code: 0 });
    await expectTruth(sandbox, join(folder, 'warehouse'), tables);
    const all = asked();
    expect(new Set(all).size).toBe(500);
    // Batches that were in progress, and results that had not reached the server.
    expect(all.length - 500).toBeLessThanOrEqual(2 * 8 * 25);
  },
);
