import { expect, it, onTestFinished } from 'vitest';
import { sandboxTables, startSandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { createSeen, touchParent } from '../helpers/touch-parent.ts';
import { expectTruth } from '../helpers/truth.ts';
import { usualTables } from '../helpers/usual-tables.ts';

quietRuntime();
const temporal = await connectToTestServer();

it('copies every record of every other declared table, and then the changes with the next run', async () => {
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 60, users: 20, alerts: 50 } });
  onTestFinished(() => sandbox.stop());
  const destination = await temporaryFolder();
  const parents = new Set(sandboxTables.map((name) => tableNamed(name).parent?.table));
  const tables = sandboxTables.filter((name) => !usualTables.includes(name) || parents.has(name));
  const syncAll = async () => {
    const outcomes = await sync(temporal, sandbox, destination, { tables });
    expect(outcomes.filter(({ status }) => status !== 'synced')).toEqual([]);
  };
  await syncAll();
  for (const table of tables) {
    touchParent(sandbox, table, createSeen(sandbox, table));
    // A table that is read by changes loses the row only with its next full read.
    const { incremental, timeWindow } = tableNamed(table);
    if (incremental || timeWindow || parents.has(table)) continue;
    const [record] = sandbox.records(table);
    touchParent(sandbox, table, record!);
    sandbox.remove(table, sandbox.idOf(table, record!));
  }
  await syncAll();
  // Once, because each table is read with a process of its own.
  await expectTruth(sandbox, destination, tables);
});
