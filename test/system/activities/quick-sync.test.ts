import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import type { QuickSynced } from '../../../activities/contract.ts';
import { quickSync } from '../../../activities/quick-sync.ts';
import { inputOf } from '../../../src/connections/runs/input.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { changeWithDeltaRs } from '../../helpers/delta-reader.ts';
import { wrongRows } from '../../helpers/run-table.ts';
import { openPlace, type Place } from '../../helpers/warehouse.ts';

const keyVariable = 'INCIDENT_IO_QUICK_SYNC_KEY';
const call = { signal: new AbortController().signal };

type World = {
  readonly sandbox: Sandbox;
  readonly place: Place;
  /** One run of a table in one step. */
  readonly run: (
    table: string,
    options?: { readonly chainId?: string; readonly batchRows?: number; readonly isLocal?: boolean },
  ) => Promise<QuickSynced>;
};

let chains = 0;

async function openWorld(): Promise<World> {
  const sandbox = await startSandbox({ limits: 'off', sizes: { alerts: 120, users: 40, incidents: 30 } });
  onTestFinished(() => sandbox.stop());
  process.env[keyVariable] = sandbox.key;
  const place = await openPlace();
  const { warehouse } = place;
  const clients = new Clients();
  return {
    sandbox,
    place,
    run: (name, { chainId = `chain-${(chains += 1)}`, batchRows = 10_000, isLocal = false } = {}) => {
      const table = tableNamed(name);
      const source = {
        apiKey: { env: keyVariable },
        baseUrl: sandbox.url,
        account: 'unknown',
        giveUpAfterMinutes: 1,
      };
      const { run, ...method } = inputOf(table, source);
      const attempt = { ...call, waited: () => {}, waitsUntil: () => {} };
      return quickSync(
        { ...method, run: { ...run, chainId, limits: { ...run.limits, batchRows } } },
        { table, warehouse, clients, call, attempt, stopping: () => false, isLocal },
      );
    },
  };
}

it('within a workflow task, a first sync is only planned, and later runs are done', async () => {
  const { sandbox, run } = await openWorld();
  const first = await run('users', { isLocal: true });
  expect(first).toMatchObject({ plan: { fullRead: true, plannedOn: 'none' }, batches: [] });
  expect(first.outcome).toBeUndefined();
  expect(sandbox.requests.filter(({ table }) => table === 'users')).toEqual([]);
  committed(await run('users'));
  expect(isUnchanged(await run('users', { isLocal: true }))).toBe(true);
});

/** What a run committed. */
function committed({ outcome }: QuickSynced) {
  if (outcome?.status !== 'committed') throw new Error(`not committed: ${outcome?.status}`);
  return outcome;
}

const isUnchanged = ({ batches }: QuickSynced) =>
  batches.some(({ extracted }) => extracted.unchanged !== undefined);

it('rows that come again are not merged, until one of them or another writer changes the table', async () => {
  const { sandbox, place, run } = await openWorld();
  const users = tableNamed('users');
  const files = async () =>
    (await readdir(place.folderOf(users))).filter((name) => name.endsWith('.parquet'));
  expect(committed(await run('users'))).toMatchObject({ version: 0, rows: 40, inserted: 40 });
  const before = await files();

  const again = await run('users');
  expect(committed(again)).toMatchObject({ version: 1, rows: 40, inserted: 0, updated: 0, dropped: 0 });
  expect(isUnchanged(again)).toBe(true);
  expect(await files()).toEqual(before);
  expect(await readdir(join(place.root, '_staging', 'users'))).toEqual([]);

  await changeWithDeltaRs(place.folderOf(users), { change: 'delete', predicate: "name LIKE '%a%'" });
  const mended = await run('users');
  expect(isUnchanged(mended)).toBe(false);
  expect(committed(mended).inserted).toBeGreaterThan(0);
  expect(await wrongRows(place, sandbox, users)).toEqual([]);

  const { id } = [...sandbox.records('users')][7] as { id: string };
  sandbox.remove('users', id);
  expect(committed(await run('users'))).toMatchObject({ rows: 39, dropped: 1 });
});

it('a run whose answer was lost commits nothing when it is repeated', async () => {
  const { run } = await openWorld();
  committed(await run('alerts', { chainId: 'lost' }));
  const again = await run('alerts', { chainId: 'lost' });
  expect(again.outcome).toEqual({ status: 'already_committed', version: 0, rows: 120 });
});

it('a run with more to read than one batch commits nothing yet, and hands over what it has staged', async () => {
  const { place, run } = await openWorld();
  const begun = await run('alerts', { batchRows: 50 });
  expect(begun.outcome).toBeUndefined();
  expect(begun.batches).toMatchObject([{ extracted: { part: { rows: 50 }, next: { kind: 'more' } } }]);
  expect(await place.warehouse.readState(tableNamed('alerts'))).toBeUndefined();
});
