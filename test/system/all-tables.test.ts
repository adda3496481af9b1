import { expect, it, onTestFinished } from 'vitest';
import { sandboxTables, startSandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';
import { usualTables } from '../helpers/usual-tables.ts';

quietRuntime();
const temporal = await connectToTestServer();
const usual: readonly string[] = usualTables;

it('copies every record of every other declared table, and what changed by the next run', async () => {
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 200, users: 30, alerts: 100 } });
  onTestFinished(() => sandbox.stop());
  const destination = await temporaryFolder();
  const tables = sandboxTables.filter((name) => !usual.includes(name));
  const syncAll = async () => {
    const outcomes = await sync(temporal, sandbox, destination, { tables });
    expect(outcomes.filter(({ status }) => status !== 'synced')).toEqual([]);
    await expectTruth(sandbox, destination, tables);
  };
  await syncAll();
  for (const table of tables) {
    sandbox.create(table, {});
    // A table that is kept by changes loses the row only with its next full read.
    if (!tableNamed(table).incremental) sandbox.remove(table, sandbox.idAt(table, 0));
  }
  await syncAll();
});
