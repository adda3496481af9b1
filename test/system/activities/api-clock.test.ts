import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import { planSync } from '../../../activities/plan-sync.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { alerts } from '../../../src/tables/alerts.ts';
import { inputOf } from '../../../src/connections/runs/input.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { apiReplying } from '../../helpers/api.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';
import { committed, openPlace, state } from '../../helpers/warehouse.ts';

quietRuntime();
const temporal = await connectToTestServer();

const hourMs = 3_600_000;
const method = {
  syncMethod: 'incremental',
  incrementalField: 'updated_at',
  fullReadEveryMs: 168 * hourMs,
} as const;

it('an hour ahead once: changes from that hour are still read', async () => {
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const sandbox = await startSandbox({ limits: 'off', now, sizes: { alerts: 30 } });
  onTestFinished(() => sandbox.stop());
  const destination = await temporaryFolder();
  const run = async () => {
    const [outcome] = await sync(temporal, sandbox, destination, { tables: ['alerts'], method });
    return outcome?.status === 'synced' ? outcome.result.reason : outcome;
  };
  await run();
  aheadMs = hourMs;
  await run();
  aheadMs = 0;
  sandbox.change('alerts', sandbox.idAt('alerts', 3), { title: 'changed before the watermark' });
  expect(await run()).toBe('the watermark is ahead of the API’s clock');
  await expectTruth(sandbox, destination, ['alerts']);
  // Once is enough.
  expect(await run()).toMatch(/^changes since/);
});

it('that is missing in a full read leaves the watermark where it was, with a note', async () => {
  const place = await openPlace();
  const watermark = Date.UTC(2026, 0, 1);
  const stored = { ...state, incrementalField: 'updated_at', watermark } as const;
  await committed(place, alerts, [[{ id: 'a' }]], { fullRead: true, state: stored });
  const api = await apiReplying((_, response) => {
    response.sendDate = false;
    response.writeHead(200, { 'content-type': 'application/json' });
    // Other roles than the table was read with.
    response.end(JSON.stringify({ identity: { roles: ['viewer'], team_roles: [], teams: [] } }));
  });
  const variable = unique('KEY').replaceAll('-', '_');
  process.env[variable] = 'k';
  onTestFinished(() => void Reflect.deleteProperty(process.env, variable));
  const source = {
    apiKey: { env: variable },
    baseUrl: api.baseUrl,
    account: 'unknown',
    giveUpAfterMinutes: 1,
  };
  const { run } = inputOf(alerts, source, method);
  const call = { signal: new AbortController().signal };
  const plan = await planSync(
    { run: { ...run, chainId: 'r' }, ...method },
    { table: alerts, warehouse: place.warehouse, clients: new Clients(), call },
  );
  expect(plan).toMatchObject({ fullRead: true, state: { watermark } });
  expect(plan.notes).toEqual([expect.stringContaining('no Date')]);
});
