import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import type { TableRun } from '../../../activities/contract.ts';
import { quickSync } from '../../../activities/quick-sync.ts';
import { recountSync } from '../../../activities/recount-sync.ts';
import { updateNested } from '../../../activities/update-nested.ts';
import { inputOf } from '../../../src/connections/runs/input.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { nestedIn } from '../../../src/tables/nested/index.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { openPlace, type Place } from '../../helpers/warehouse.ts';

// A run's staging is deleted after its commit. If the process dies in between, the commit counts, and the next attempt
// has nothing to do: it must still delete the parts, because nothing else does for a week.

const keyVariable = 'INCIDENT_IO_KILLED_AFTER_COMMIT_KEY';
const call = { signal: new AbortController().signal };
const attempt = { ...call, waited: () => {}, waitsUntil: () => {} };

type Steps = {
  readonly place: Place;
  readonly sandbox: Awaited<ReturnType<typeof startSandbox>>;
  readonly quick: (table: string, chainId: string, warehouse?: Warehouse) => ReturnType<typeof quickSync>;
  readonly recount: (plannedOn: number, chainId: string, warehouse?: Warehouse) => Promise<unknown>;
  readonly nest: (chainId: string, warehouse?: Warehouse) => Promise<unknown>;
};

async function openSteps(): Promise<Steps> {
  const sandbox = await startSandbox({ limits: 'off', sizes: { users: 20, incidents: 600 } });
  onTestFinished(() => sandbox.stop());
  process.env[keyVariable] = sandbox.key;
  const place = await openPlace();
  const clients = new Clients();
  const source = {
    apiKey: { env: keyVariable },
    baseUrl: sandbox.url,
    account: 'unknown',
    giveUpAfterMinutes: 1,
  };
  const inputFor = (table: string, chainId: string) => {
    const { run, ...method } = inputOf(tableNamed(table), source);
    return { ...method, run: { ...run, chainId } satisfies TableRun };
  };
  const stepOf = (table: string, warehouse: Warehouse) => ({
    table: tableNamed(table),
    warehouse,
    clients,
    call,
  });
  return {
    place,
    sandbox,
    quick: (table, chainId, warehouse = place.warehouse) =>
      quickSync(inputFor(table, chainId), {
        ...stepOf(table, warehouse),
        attempt,
        stopping: () => false,
        isLocal: false,
      }),
    recount: (plannedOn, chainId, warehouse = place.warehouse) =>
      recountSync(
        { run: inputFor('incidents', chainId).run, plannedOn },
        stepOf('incidents', warehouse),
        attempt,
      ),
    nest: (chainId, warehouse = place.warehouse) =>
      updateNested(inputFor('users', chainId), nestedIn('users'), stepOf('users', warehouse), attempt),
  };
}

/** The warehouse of a process that dies as soon as it has committed. */
const dying = ({ warehouse }: Place): Warehouse => ({
  ...warehouse,
  discardStaged: () => Promise.reject(new Error('killed')),
});

const staged = ({ store }: Place) => store.list('_staging/');

it('a run in one step', async () => {
  const { place, quick } = await openSteps();
  await expect(quick('users', 'chain', dying(place))).rejects.toThrow('killed');
  expect(await staged(place)).not.toEqual([]);
  const again = await quick('users', 'chain');
  expect(again.outcome).toMatchObject({ status: 'already_committed', rows: 20 });
  expect(await staged(place)).toEqual([]);
});

it('days that were read again', async () => {
  const { place, sandbox, quick, recount } = await openSteps();
  await quick('incidents', 'first');
  sandbox.remove('incidents', sandbox.idAt('incidents', 5));
  const { outcome } = await quick('incidents', 'second');
  if (outcome?.status !== 'committed') throw new Error('the run was not committed');
  expect(outcome.differences).toBe(1);
  await expect(recount(outcome.counter, 'second', dying(place))).rejects.toThrow('killed');
  expect(await staged(place)).not.toEqual([]);
  expect(await recount(outcome.counter, 'second')).toEqual({ status: 'agrees' });
  expect(await staged(place)).toEqual([]);
});

it('nested tables', async () => {
  const { place, quick, nest } = await openSteps();
  await quick('users', 'chain');
  await expect(nest('chain', dying(place))).rejects.toThrow('killed');
  expect(await staged(place)).not.toEqual([]);
  expect(await nest('chain')).toEqual({ tables: [], notes: [] });
  expect(await staged(place)).toEqual([]);
});
