import { Client } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { runHistory } from '../../../../src/connections/runs/run-history.ts';
import { startSandbox } from '../../../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../../../src/serving/runtime.ts';
import type { TableSettings } from '../../../../src/settings/settings.ts';
import { tableNamed } from '../../../../src/tables/index.ts';
import { cli } from '../../../helpers/cli.ts';
import { link } from '../../../helpers/linked.ts';
import { sync } from '../../../helpers/sync.ts';
import { connectToTestServer, unique } from '../../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

const fullRefresh: TableSettings = { syncMethod: 'full_refresh', every: '6h' };

type PrintedRun = {
  readonly id: string;
  readonly table: string;
  readonly outcome: string;
  readonly version?: number;
};

it('lists runs of schedules and others with their outcome, newest first, and shows one by the end of its id', async () => {
  const sandbox = await startSandbox({ limits: 'off', sizes: { users: 20 } });
  onTestFinished(() => sandbox.stop());
  const linked = await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh });
  await linked.serving(async () => {
    await linked.run('severities');
    await linked.run('users');
    sandbox.setScopes(sandbox.key, ['severities.view']);
    await expect(linked.run('users')).rejects.toMatchObject({ cause: { type: 'PermissionError' } });
    sandbox.setScopes(sandbox.key, ['severities.view', 'users.view']);
  });
  sandbox.create('users');
  await sync(temporal, sandbox, linked.destination, { tables: ['users'] });
  const at = ['--json', '--settings', linked.file];
  const runs = async (...argv: string[]) =>
    JSON.parse((await cli(['runs', ...argv, ...at])).out) as PrintedRun[];
  // The server's index of runs is a moment behind.
  await expect
    .poll(() => runs('users'))
    .toMatchObject([
      { table: 'users', outcome: 'synced', version: 1, rows: 21, inserted: 1 },
      { table: 'users', outcome: 'failed', error: 'PermissionError' },
      { table: 'users', outcome: 'synced', version: 0, rows: 20, full_read: true },
    ]);
  expect((await runs()).map(({ table }) => table)).toEqual(['users', 'users', 'users', 'severities']);
  expect(await runs('--limit', '1')).toHaveLength(1);

  const [, failed] = await runs('users');
  const shown = await cli(['runs', 'show', failed!.id.slice(-8), '--settings', linked.file]);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toContain(failed!.id);
  expect(shown.out).toMatch(/error: .*users\.view[^]*→ .*users\.view/);
  expect(JSON.parse((await cli(['runs', 'show', failed!.id, ...at])).out)).toMatchObject(failed!);
  expect((await cli(['runs', 'show', 'no-such-run', ...at])).code).toBe(2);

  // A server that has forgotten everything: here one without this connection, and a namesake's runs are not shown.
  const { connection, namespace } = temporal;
  const source = {
    client: new Client({ connection, namespace }),
    warehouse: linked.warehouse,
    settings: { ...linked.settings, connection: unique('connection'), destination: '/elsewhere' },
    tables: [tableNamed('users')],
  };
  expect((await runHistory(source, 10)).runs).toMatchObject([
    { outcome: 'synced', commit: { version: 1, rows: 21, inserted: 1 } },
    { outcome: 'synced', commit: { version: 0, rows: 20, fullRead: true } },
  ]);
});
