import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../activities/clients.ts';
import type { Plan } from '../../activities/contract.ts';
import { extractBatch } from '../../activities/extract-batch.ts';
import { planSync } from '../../activities/plan-sync.ts';
import { type Sandbox, type SandboxOptions, sandboxSizes, startSandbox } from '../../src/sandbox/sandbox.ts';
import { inputOf, toMethod } from '../../src/connections/runs/input.ts';
import { defaultTableSettings } from '../../src/settings/settings.ts';
import { alerts } from '../../src/tables/alerts.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { folderStore } from '../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

async function sandboxOf(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

/** How often each path was asked since request number `from`. */
function asked({ requests }: Sandbox, from = 0): { [path: string]: number } {
  const counts: { [path: string]: number } = {};
  for (const { url } of requests.slice(from)) {
    const path = new URL(url, 'http://127.0.0.1').pathname;
    counts[path] = (counts[path] ?? 0) + 1;
  }
  return counts;
}

it('asks an empty account for one page per pass, in addition to the requests of planning', async () => {
  const sandbox = await sandboxOf({ sizes: sandboxSizes.empty });
  await sync(temporal, sandbox, await temporaryFolder(), {
    tables: ['incidents', 'alerts', 'escalations', 'follow_ups', 'schedules', 'users'],
  });
  const { '/v1/identity': identity, ...others } = asked(sandbox);
  // The tables start together, and one request answers for all of them.
  expect(identity).toBe(1);
  expect(others).toEqual({
    '/v1/incident_statuses': 1,
    '/v2/incidents': 1,
    '/v2/alerts': 1,
    '/v2/escalations': 1,
    '/v3/follow_ups': 5,
    '/v2/schedules': 1,
    '/v2/users': 1,
  });
});

it.each(['incidents', 'alerts', 'escalations', 'follow_ups'])(
  'asks for %s, if nothing is new, one page per pass and at most three more',
  async (name) => {
    const sandbox = await sandboxOf({ sizes: { alerts: 600, incidents: 600 } });
    const destination = await temporaryFolder();
    const table = tableNamed(name);
    const method = { syncMethod: 'incremental', incrementalField: 'updated_at' } as const;
    await sync(temporal, sandbox, destination, { tables: [name], method });
    const before = sandbox.requests.length;
    const [outcome] = await sync(temporal, sandbox, destination, { tables: [name], method });
    expect(outcome).toMatchObject({ status: 'synced', result: { changes: { inserted: 0, updated: 0 } } });
    const counts = asked(sandbox, before);
    const passes = table.passes?.values.length ?? 1;
    const pages = counts[table.path]!;
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    // Its data is older than the overlap, so each pass is one page; the count is requested at the same path.
    expect(pages).toBeLessThanOrEqual(passes + (table.counted === true ? 1 : 0));
    expect(total).toBeLessThanOrEqual(passes + 3);
  },
);

/** One row per page, so that few rows spend the bucket. */
const onePageARow = { ...alerts, paging: { kind: 'pages', pageSize: 1 } } as const;

it('waits at half of the rate limit only if a read leaves the rest to others', async () => {
  // Its clock does not move, so its bucket shows how much was spent.
  const sandbox = await sandboxOf({
    limits: { all: { capacity: 1_200, perSecond: 20 }, incidents: { capacity: 60, perSecond: 1 } },
    sizes: { alerts: 603 },
    now: () => Date.parse('2026-11-01T00:00:00Z'),
  });
  const warehouse = await openWarehouse(folderStore(await temporaryFolder()), { destination: 'here' });
  onTestFinished(() => warehouse.close());
  const waitedFor = async (leaveHalf: Pick<Plan, 'leaveHalf'>) => {
    process.env['REQUESTS_KEY'] = sandbox.addKey();
    const source = { apiKey: { env: 'REQUESTS_KEY' }, baseUrl: sandbox.url, account: 'unknown' };
    const { run } = inputOf(alerts, { ...source, giveUpAfterMinutes: 1 });
    const { waitedMs, pages } = await extractBatch(
      { run: { ...run, chainId: 'run' }, window: { id: 0, params: [] }, startedAt: [], ...leaveHalf },
      {
        table: onePageARow,
        warehouse,
        clients: new Clients(),
        attempt: { signal: new AbortController().signal, waited: () => {}, waitsUntil: () => {} },
        stopping: () => false,
      },
    );
    expect(pages).toBeGreaterThan(600);
    return waitedMs;
  };
  expect(await waitedFor({})).toBe(0);
  expect(await waitedFor({ leaveHalf: true })).toBeGreaterThan(0);
});

it('leaves half to others only if the full read is a repeated one of a schedule', async () => {
  const sandbox = await sandboxOf({ sizes: { ...sandboxSizes.empty, users: 3 } });
  const warehouse = await openWarehouse(folderStore(await temporaryFolder()), { destination: 'here' });
  onTestFinished(() => warehouse.close());
  process.env['REQUESTS_KEY'] = sandbox.key;
  const users = tableNamed('users');
  const incidents = tableNamed('incidents');
  const source = { apiKey: { env: 'REQUESTS_KEY' }, baseUrl: sandbox.url, account: 'unknown' };
  const plan = (table: typeof users, periodic: { periodic?: true }, fullReadEveryMs?: number) => {
    const { run } = inputOf(table, { ...source, giveUpAfterMinutes: 1, ...periodic });
    return planSync(
      {
        run: { ...run, chainId: 'run' },
        ...toMethod(defaultTableSettings(table)),
        ...(fullReadEveryMs !== undefined && { fullReadEveryMs }),
      },
      { table, warehouse, clients: new Clients(), call: { signal: new AbortController().signal } },
    );
  };
  const leaves = async (...asking: Parameters<typeof plan>) => (await plan(...asking)).leaveHalf === true;
  const commit = async (table: typeof users) =>
    warehouse.commit(table, { chainId: 'run', parts: [], ...(await plan(table, {})) });

  expect(await leaves(users, { periodic: true })).toBe(false);
  await commit(users);
  await commit(incidents);
  expect(await leaves(users, { periodic: true })).toBe(true);
  expect(await leaves(users, {})).toBe(false);
  expect(await leaves(incidents, { periodic: true }, 0)).toBe(true);
  expect(await leaves(incidents, { periodic: true })).toBe(false);
  await warehouse.resetState(incidents);
  expect(await leaves(incidents, { periodic: true })).toBe(false);
});
