import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../../src/settings/settings.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';
import { isAlive, stop } from '../../../src/temporal/dev-server/process.ts';
import { readRecord } from '../../../src/temporal/dev-server/record.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { type RunningCommand, startCommand } from '../../helpers/command.ts';
import { changeWithDeltaRs } from '../../helpers/delta-reader.ts';
import { expectTruth } from '../../helpers/truth.ts';
import { keyVariable, settingsFor, type TestSettings } from '../../helpers/worker-queue.ts';

const key = 'inc_e2c1b19c2e47d8ae61d0c1';

async function sandboxOf(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', key: { key }, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

/** `up` with a Temporal server of its own, whose database is in the settings' folder. */
function startUp({ file, folder }: TestSettings, env: NodeJS.ProcessEnv = {}): RunningCommand {
  return startCommand(['up', '--settings', file], { XDG_STATE_HOME: folder, [keyVariable]: key, ...env });
}

/** The embedded server of these settings; killed after the test if `up` left it running. */
async function serverOf({ folder }: TestSettings) {
  const { server } = await readRecord(join(folder, 'incident-io-source'));
  if (server) onTestFinished(() => stop(server, 0));
  return server!;
}

/** Resolves once the sandbox has been asked this often. */
async function asked(sandbox: Sandbox, times: number): Promise<void> {
  while (sandbox.requests.length < times) await sleep(5);
}

/** Resolves once a run of every table that began after this call has been committed. */
function syncedAgain(settings: TestSettings, tables: readonly string[]): Promise<void> {
  // The API's clock counts in whole seconds.
  return synced(settings, tables, Math.ceil(Date.now() / 1_000) * 1_000);
}

/** Resolves once every table is complete up to this time; milliseconds since the epoch. */
async function synced(
  { destination }: TestSettings,
  tables: readonly string[],
  since: number,
): Promise<void> {
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  try {
    for (const table of tables) {
      for (;;) {
        const state = await warehouse.readState(tableNamed(table));
        if (Math.max(state?.watermark ?? 0, state?.fullReadAt ?? 0) >= since) break;
        await sleep(50);
      }
    }
  } finally {
    await warehouse.close();
  }
}

it(
  'keeps tables current through changes, a SIGKILL in mid-run and a dead Temporal server, until Ctrl-C',
  { timeout: 300_000 },
  async () => {
    const sandbox = await sandboxOf({
      latencyMs: 10,
      sizes: { incidents: 1_000, incident_updates: 12_000, users: 50 },
    });
    const tables = ['incidents', 'incident_updates', 'users'] as const;
    const settings = await settingsFor(sandbox, {
      incidents: {
        syncMethod: 'incremental',
        incrementalField: 'updated_at',
        every: '2s',
        fullReadEvery: 'never',
      },
      incident_updates: { syncMethod: 'full_refresh', every: '3s' },
      users: { syncMethod: 'full_refresh', every: '2s' },
    });
    const first = startUp(settings);
    await asked(sandbox, 25);
    first.child.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    const server = await serverOf(settings);
    const change = (n: number) => {
      for (let index = 0; index < 1_000; index += 50) {
        sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed ${n}` });
      }
      sandbox.change('users', sandbox.idAt('users', n), { name: `changed ${n}` });
    };
    change(1);

    const second = startUp(settings);
    await second.says('worker started');
    await syncedAgain(settings, tables);
    await expectTruth(sandbox, settings.destination, tables);

    change(2);
    process.kill(server.pid, 'SIGKILL');
    await second.says('the Temporal server answers again');
    await syncedAgain(settings, tables);
    await expectTruth(sandbox, settings.destination, tables);

    const last = await serverOf(settings);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect(await isAlive(last)).toBe(false);
    // The second one found nothing to change in the schedules.
    expect(second.err()).not.toContain('schedule created');
    expect(first.err() + second.err() + second.out()).not.toContain(key);
  },
);

it('refuses to start if it cannot work, and leaves nothing running', async () => {
  const sandbox = await sandboxOf({});
  const settings = await settingsFor(sandbox, { severities: { syncMethod: 'full_refresh', every: '6h' } });
  const wrong = await settingsFor(sandbox, {
    severities: { syncMethod: 'full_refresh', every: '7h' as '6h' },
  });
  const withWrongKey = startUp(settings, { [keyVariable]: 'inc_revoked' });
  const withoutKey = startUp(settings, { [keyVariable]: '' });
  const withWrongSettings = startUp(wrong);
  const withoutServer = startUp(settings, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const all = [withWrongKey, withoutKey, withWrongSettings, withoutServer];
  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual([1, 1, 2, 1]);
  expect(withWrongKey.err()).toMatch(/401[^]*→ .*API key/);
  expect(withoutKey.err()).toContain(keyVariable);
  expect(withWrongSettings.err()).toContain('tables.severities.every');
  expect(withoutServer.err()).toContain('127.0.0.1:1');
  expect(await readRecord(join(settings.folder, 'incident-io-source'))).toMatchObject({ server: null });
});

it(
  'syncs all other tables if one cannot be read, names the web UI, and makes Node warn of nothing',
  { timeout: 180_000 },
  async () => {
    const sandbox = await sandboxOf({ sizes: { incidents: 20, incident_updates: 20, alerts: 20, users: 5 } });
    const every: TableSettings = { syncMethod: 'full_refresh', every: '24h' };
    // A child would wait for its parent.
    const names = tables.filter(({ parent }) => !parent).map(({ name }) => name);
    const settings = await settingsFor(sandbox, Object.fromEntries(names.map((name) => [name, every])));
    // A table that is not ours, in the place of one that is.
    await mkdir(join(settings.destination, 'users'));
    await changeWithDeltaRs(join(settings.destination, 'users'), { change: 'create' });
    const command = startUp(settings);
    await command.says('worker started');
    const { uiPort } = await serverOf(settings);
    expect(command.err()).toContain(uiPort === null ? '' : `http://127.0.0.1:${uiPort}`);
    const others = names.filter((name) => name !== 'users');
    await synced(settings, others, 1);
    await command.says(`run failed connection=${settings.connection} table=users`);
    command.child.kill('SIGINT');
    expect(await command.ended).toBe(0);
    expect(command.err()).toMatch(/cannot read a table table=users .*DestinationError/);
    expect(command.err()).not.toContain('Warning');
  },
);
