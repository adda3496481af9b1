import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { expectFailed, hasCursor, resultOf, stagedIn, worldOf } from '../../helpers/one-table.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

describe('a key', () => {
  it('that loses its scope during a read fails the table at once, and the error names the scope', async () => {
    const world = await worldOf(temporal);
    const { sandbox, run } = world;
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) sandbox.setScopes(sandbox.key, ['incidents.view']);
        return true;
      },
    });
    await expectFailed(world, await run(), 'PermissionError', 'GET /v2/alerts', '403', 'alerts.view');
    expect(sandbox.requests.filter(({ status }) => status === 403)).toHaveLength(1);
  });

  it('that is revoked during a run fails the table at once, and leaves it unchanged', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    resultOf(await run());
    const before = await readWithDeltaRs(join(destination, 'alerts'));
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) sandbox.revokeKey(sandbox.key);
        return true;
      },
    });
    // Only a full read has a second page, at which the key is revoked.
    expect(await run({ batchRows: 50, method: { syncMethod: 'full_refresh' } })).toMatchObject({
      status: 'failed',
      error: 'CredentialsError',
      message: expect.stringContaining('401') as string,
    });
    expect(sandbox.requests.filter(({ status }) => status === 401)).toHaveLength(1);
    expect(await stagedIn(destination)).toEqual([]);
    expect(await readWithDeltaRs(join(destination, 'alerts'))).toEqual(before);
  });

  it('that is replaced during a run by one of another account fails the table before a row is read with it', async () => {
    const world = await worldOf(temporal);
    const { sandbox, run } = world;
    const other = sandbox.addKey({ identity: { dashboard_url: 'https://app.incident.io/other' } });
    const keyFile = join(await temporaryFolder(), 'key');
    await writeFile(keyFile, sandbox.key);
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) writeFileSync(keyFile, other);
        return true;
      },
    });
    const outcome = await run({ keyFile, batchRows: 100 });
    await expectFailed(
      world,
      outcome,
      'AccountMismatchError',
      'alerts',
      keyFile,
      'https://app.incident.io/other',
      'https://app.incident.io/sandbox',
    );
  });
});
