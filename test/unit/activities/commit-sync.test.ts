import { readdir } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import { commitSync } from '../../../activities/commit-sync.ts';
import { inputOf } from '../../../src/connections/runs/input.ts';
import { AccountMismatchError } from '../../../src/errors.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { users } from '../../../src/tables/users.ts';
import { openDestination } from '../../../src/warehouse/open-warehouse.ts';
import { setEnv } from '../../helpers/environment.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

/** A run that was planned for the sandbox's account and has read nothing, ready to be committed. */
async function runToCommit() {
  const sandbox = await startSandbox({ limits: 'off' });
  const folder = await temporaryFolder();
  const warehouse = await openDestination(folder);
  onTestFinished(async () => {
    await warehouse.close();
    await sandbox.stop();
  });
  setEnv({ COMMIT_KEY: sandbox.key });
  const account = 'https://app.incident.io/sandbox';
  const source = { apiKey: { env: 'COMMIT_KEY' }, baseUrl: sandbox.url, account, giveUpAfterMinutes: 1 };
  const clients = new Clients();
  const call = { signal: new AbortController().signal };
  const run = { ...inputOf(users, source).run, chainId: 'run' };
  // As the plan did: from here on this process knows whose key it is.
  await clients.identify(run, call);
  const state = { account, visibility: 'unknown', filters: '[]' };
  const input = { run, plan: { fullRead: true, plannedOn: 'none' as const, state }, parts: [] };
  const commit = (isLong: boolean) =>
    commitSync({ ...input, ...(isLong && { isLong: true }) }, { table: users, warehouse, clients, call });
  return { sandbox, folder, commit };
}

it('does not commit a long run whose key now belongs to another account', async () => {
  const { sandbox, folder, commit } = await runToCommit();
  sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/other' });
  await expect(commit(true)).rejects.toThrow(AccountMismatchError);
  expect(await readdir(folder)).not.toContain('users');
});

it('commits a long run of the same account, and only asks for the account again after a long run', async () => {
  const { sandbox, commit } = await runToCommit();
  const identities = () => sandbox.requests.filter(({ url }) => url === '/v1/identity').length;
  const before = identities();
  expect(await commit(true)).toMatchObject({ status: 'committed' });
  expect(identities()).toBe(before + 1);
});
