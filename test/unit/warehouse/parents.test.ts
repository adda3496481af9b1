import { expect, it } from 'vitest';
import type { ParentPick } from '../../../src/warehouse/committed-rows.ts';
import { committed, openPlace, things } from '../../helpers/warehouse.ts';

const all = { columns: [], limit: 100 };

async function parents(ids: readonly string[]) {
  const place = await openPlace();
  await committed(place, things, [ids.map((id) => ({ id, name: `name of ${id}` }))]);
  const version = (await place.warehouse.newestVersion(things))!;
  const keysOf = async (pick: ParentPick, range = {}) =>
    (await place.warehouse.parentsIn(things, pick, range, all))?.map(({ key }) => key);
  return { ...place, version, keysOf };
}

// A range whose order is not that of the reading would lose parents at its ends, or read them twice.
it('ranges cover every parent once, in the order of the bytes of their keys', async () => {
  const ids = ['b', 'B', 'ä', 'a', "o'hara", 'z', '10', '9', '😀'];
  const { warehouse, version, keysOf } = await parents(ids);
  const ranges = (await warehouse.parentRanges(things, version, { each: 2, most: 4 }))!;
  expect(ranges.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([2, 2, 2, 3]);
  const found = await Promise.all(ranges.map((range) => keysOf(version, range)));
  expect(found.flat()).toEqual(ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
});

it('parents come from the requested version, even when the table has newer ones', async () => {
  const { version, keysOf, ...place } = await parents(['a', 'b']);
  const seenAt = (await place.warehouse.commitTime(things, version))!;
  await committed(place, things, [[{ id: 'b', name: 'changed' }, { id: 'c' }]], { fullRead: true });
  expect(await keysOf(version)).toEqual(['a', 'b']);
  const newest = (await place.warehouse.newestVersion(things))!;
  const only = { since: seenAt, open: [], left: [] };
  expect(await keysOf({ ...newest, only })).toEqual(['b', 'c']);
  expect(await keysOf({ ...newest, only: { ...only, since: 1e15, left: ['c', 'gone'] } })).toEqual(['c']);
});

it('each parent has its turn once per period, at any times of the runs', async () => {
  const ids = Array.from({ length: 60 }, (_, n) => `id-${n}`);
  const { version, keysOf } = await parents(ids);
  const everyMs = 1_000_000;
  const times = [5_000_000, 5_000_001, 5_300_000, 5_310_000, 5_999_999, 6_000_000];
  const turns: string[] = [];
  for (const [n, to] of times.slice(1).entries()) {
    const turn = { everyMs, from: times[n]!, to };
    turns.push(...(await keysOf({ ...version, only: { since: 1e15, open: [], left: [], turn } }))!);
  }
  expect(turns.toSorted()).toEqual(ids.toSorted());
});

it('a condition on a column that the table lacks is refused, or every child would be dropped', async () => {
  const { version, warehouse } = await parents(['a']);
  const where = [{ column: 'seats', oneOf: ['full_access'] }];
  await expect(
    warehouse.parentRanges(things, { ...version, where }, { each: 1, most: 1 }),
  ).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining('seats') as string });
});

it('says that a version is gone, or that its table was created again', async () => {
  const { version, keysOf } = await parents(['a']);
  expect(await keysOf({ ...version, version: 7 })).toBeUndefined();
  expect(await keysOf({ ...version, tableId: 'another' })).toBeUndefined();
});
