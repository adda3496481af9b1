import { existsSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { readRecord } from '../../../src/temporal/dev-server/record.ts';
import { startCommand } from '../../helpers/command.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const key = 'inc_lost_output';

/** A `sync` with a Temporal server of its own, which has no user any more once it has ended well. */
async function syncOf(tables: readonly string[]) {
  const sandbox = await startSandbox({
    limits: 'off',
    key: { key },
    latencyMs: 20,
    sizes: { alerts: 4_000, users: 5 },
  });
  onTestFinished(() => sandbox.stop());
  const folder = await temporaryFolder();
  const destination = join(folder, 'warehouse');
  const args = ['sync', ...tables, '--to', destination, '--base-url', sandbox.url];
  const env = { INCIDENT_IO_API_KEY: key, TEMPORAL_ADDRESS: '', XDG_STATE_HOME: folder };
  return { args, env, destination, record: () => readRecord(join(folder, 'incident-io-source')) };
}

it('ends quietly when its reader goes away, with the code of a broken pipe, and stops its server', async () => {
  const { args, env, destination, record } = await syncOf(['alerts']);
  const command = startCommand(args, env);
  await command.says('alerts');
  expect(await record()).toMatchObject({ server: { pid: expect.any(Number) as number } });
  command.child.stderr!.destroy();
  expect(await command.ended).toBe(141);
  expect(command.out() + command.err()).not.toMatch(/Error|EPIPE/);
  expect(await record()).toMatchObject({ server: null, users: [] });
  const staged = await readdir(join(destination, '_staging'), { recursive: true, withFileTypes: true });
  expect(staged.filter((entry) => entry.isFile())).toEqual([]);
});

it.skipIf(!existsSync('/dev/full'))(
  'says in one sentence that its output is full, and stops its server',
  async () => {
    const { args, env, destination, record } = await syncOf(['users']);
    const full = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const command = startCommand(args, env, undefined, full.fd);
    expect(await command.ended).toBe(1);
    expect(command.err()).toMatch(/\nerror: .*standard output.*ENOSPC.*\n {2}→ .+\n$/);
    expect(await record()).toMatchObject({ server: null });
    // The rows are committed all the same.
    expect(await readdir(destination)).toContain('users');
  },
);
