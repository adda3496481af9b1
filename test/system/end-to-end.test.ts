import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import type { RunOutcome } from '../../src/connections/runs/runs.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();

const sizes = {
  incidents: 1_500,
  incident_updates: 2_000,
  follow_ups: 800,
  alerts: 3_000,
  escalations: 400,
  users: 60,
};

async function sandboxOf(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', sizes, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

function expectAllSynced(outcomes: readonly RunOutcome[]): void {
  expect(outcomes.filter(({ status }) => status !== 'synced')).toEqual([]);
}

const resultOf = (outcomes: readonly RunOutcome[], table: string) => {
  const outcome = outcomes.find((outcome) => outcome.table === table);
  if (outcome?.status !== 'synced') throw new Error(`${table} was not synced`);
  return outcome.result;
};

describe('a sync of all tables', () => {
  it('copies every record of the account, including hidden ones, and then the changes', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const first = await sync(temporal, sandbox, destination);
    expectAllSynced(first);
    await expectTruth(sandbox, destination);
    expect(resultOf(first, 'incidents').fullRead).toBe(true);

    for (let index = 0; index < 1_500; index += 30) {
      sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed ${index}` });
    }
    sandbox.create('incidents', { mode: 'test' });
    sandbox.remove('alerts', sandbox.idAt('alerts', 17));
    const second = await sync(temporal, sandbox, destination);
    expectAllSynced(second);
    // An incremental sync does not see that a row is gone.
    expect(resultOf(second, 'alerts')).toMatchObject({ fullRead: false, changes: { dropped: 0 } });
    const alerts = await sync(temporal, sandbox, destination, {
      tables: ['alerts'],
      method: { syncMethod: 'full_refresh' },
    });
    expect(resultOf(alerts, 'alerts').changes).toMatchObject({ dropped: 1, inserted: 0, updated: 0 });
    await expectTruth(sandbox, destination);
    const { fullRead, changes } = resultOf(second, 'incidents');
    expect({ fullRead, inserted: changes?.inserted, updated: changes?.updated }).toEqual({
      fullRead: false,
      inserted: 1,
      updated: 50,
    });

    // If nothing changed, it writes nothing and sends only a few requests.
    const asked = sandbox.requests.length;
    const third = await sync(temporal, sandbox, destination, { tables: ['incidents'] });
    expect(resultOf(third, 'incidents').changes).toMatchObject({ inserted: 0, updated: 0, bytesWritten: 0 });
    expect(sandbox.requests.length - asked).toBeLessThanOrEqual(5);
  });

  it('copies every record while a tenth of all responses are errors, HTML, cut off or never arrive', async () => {
    const sandbox = await sandboxOf({ faults: 0.1 });
    const destination = await temporaryFolder();
    sandbox.fault({ fault: { kind: 'stall' }, table: 'users', times: 1 });
    sandbox.fault({ fault: { kind: 'cut', framing: 'chunked' }, table: 'follow_ups', times: 2 });
    expectAllSynced(await sync(temporal, sandbox, destination, { requestTimeoutMs: 2_000 }));
    await expectTruth(sandbox, destination);
  });

  it('has the changes from during the read, at the latest after the next run', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    // Each page that is read changes a row somewhere in the table, stamped a little before it becomes visible.
    let changed = 0;
    const stopChanging = sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      when: ({ table }) => {
        if (table !== 'incidents' && table !== 'alerts') return false;
        changed += 1;
        const id = sandbox.idAt(table, (changed * 7_919) % sizes[table]);
        const text = `changed ${changed}`;
        sandbox.change(table, id, table === 'alerts' ? { title: text } : { name: text }, {
          stampedAgoMs: 2_000,
        });
        if (changed % 10 === 0) sandbox.create(table, {}, { stampedAgoMs: 2_000 });
        return true;
      },
    });
    const tables = ['incidents', 'alerts'] as const;
    const method = { syncMethod: 'incremental', incrementalField: 'updated_at' } as const;
    expectAllSynced(await sync(temporal, sandbox, destination, { tables, method }));
    expect(changed).toBeGreaterThan(50);
    stopChanging();
    expectAllSynced(await sync(temporal, sandbox, destination, { tables, method }));
    await expectTruth(sandbox, destination, tables);
  });
});
