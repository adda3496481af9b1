import { expect, it, onTestFinished } from 'vitest';
import type { ApiRecord } from '../../../src/tables/table.ts';
import { fieldsOf } from '../../../src/warehouse/delta/schema.ts';
import { statisticsIn } from '../../../src/warehouse/delta/statistics.ts';
import { syncedAt } from '../../../src/warehouse/delta/target-schema.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { Part } from '../../../src/warehouse/part.ts';
import type { CommitOutcome, CommitRequest } from '../../../src/warehouse/warehouse.ts';
import {
  committed,
  linesOf,
  openPlace,
  type Place,
  readRows,
  state,
  things,
} from '../../helpers/warehouse.ts';

/** As many rows as make a part large enough for a data file. */
const many = 5_000;
const chainId = 'first';

/** Things with the numbers from `first` on, all changed in this minute. */
function numbered(first: number, minute = 0, more: ApiRecord = {}): ApiRecord[] {
  return Array.from({ length: many }, (_, index) => ({
    id: idOf(first + index),
    name: `Thing ${first + index} of ${minute}`,
    rank: first + index,
    tags: [first],
    updated_at: `2024-01-01T00:0${minute}:00Z`,
    ...more,
  }));
}

function idOf(number: number): string {
  return String(number).padStart(6, '0');
}

async function stage({ warehouse }: Place, records: readonly ApiRecord[], isFirst = true): Promise<Part> {
  const writer = await warehouse.createPart(things, chainId, { isFirst });
  await writer.add(linesOf(things, records));
  const part = await writer.finish();
  return part!;
}

function commit(
  { warehouse }: Place,
  parts: readonly Part[],
  options: Partial<CommitRequest> = {},
): Promise<CommitOutcome> {
  return warehouse.commit(things, { chainId, parts, fullRead: true, plannedOn: 'none', state, ...options });
}

/** The data files of the newest version. */
async function filesOf({ warehouse }: Place) {
  return [...(await warehouse.snapshotOf(things))!.files.values()];
}

it('a large part becomes a data file like one that the merge writes', async () => {
  const place = await openPlace();
  const part = await stage(place, numbered(0));
  expect(part).toMatchObject({ rows: many, isDataFile: true });
  expect(await commit(place, [part])).toMatchObject({ status: 'committed', rows: many, inserted: many });
  const [file, ...others] = await filesOf(place);
  expect(others).toEqual([]);
  expect(file!.size).toBe(part.bytes);

  const written = await openPlace();
  await committed(written, things, [numbered(0)]);
  const [like] = await filesOf(written);
  const withoutTimes = (stats: ReturnType<typeof statisticsIn>) => ({
    ...stats,
    minValues: { ...stats.minValues, [syncedAt]: 'a time' },
    maxValues: { ...stats.maxValues, [syncedAt]: 'a time' },
  });
  expect(withoutTimes(statisticsIn(file!))).toEqual(withoutTimes(statisticsIn(like!)));
  const rowsOf = async (where: Place) =>
    (await readRows(where, things)).map((row) => ({ ...row, [syncedAt]: typeof row[syncedAt] }));
  expect(await rowsOf(place)).toEqual(await rowsOf(written));
});

it('of parts that share a key, only the one whose row is older is written again', async () => {
  const place = await openPlace();
  const older = await stage(place, numbered(0));
  const newer = await stage(place, numbered(many - 1, 1));
  expect(await commit(place, [older, newer])).toMatchObject({ status: 'committed', rows: 2 * many - 1 });
  const files = await filesOf(place);
  expect(files.map((add) => statisticsIn(add).numRecords ?? 0).toSorted((a, b) => a - b)).toEqual([
    many - 1,
    many,
  ]);
  expect(files.find((add) => statisticsIn(add).numRecords === many)!.size).toBe(newer.bytes);
  const rows = await readRows(place, things);
  expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 2 * many - 1 }, (_, n) => idOf(n)));
  expect(rows[many - 1]).toMatchObject({ name: `Thing ${many - 1} of 1` });
});

it('a part with fields that have no column is merged, next to one that becomes a data file or is written again', async () => {
  const place = await openPlace();
  const plain = await stage(place, numbered(0));
  const doubled = await stage(place, numbered(many));
  const odd = await stage(place, numbered(2 * many - 1, 1, { flavour: 'sour' }));
  expect(odd.isDataFile).toBeUndefined();
  const outcome = await commit(place, [plain, doubled, odd]);
  expect(outcome).toMatchObject({ status: 'committed', rows: 3 * many - 1, columnsAdded: ['flavour'] });
  expect((await filesOf(place)).map(({ size }) => size)).toContain(plain.bytes);
  const rows = await readRows(place, things);
  const flavours = rows.map(({ flavour }) => flavour);
  expect(flavours.slice(0, 2 * many - 1).filter((flavour) => flavour !== null)).toEqual([]);
  expect(new Set(flavours.slice(2 * many - 1))).toEqual(new Set(['sour']));
});

it('a value that does not fit its column keeps a part from becoming a data file', async () => {
  const place = await openPlace();
  const [first, ...others] = numbered(0);
  const part = await stage(place, [{ ...first, rank: 'high' }, ...others]);
  expect(part.isDataFile).toBeUndefined();
  expect(await commit(place, [part])).toMatchObject({ columnsAdded: ['rank__raw'] });
});

it('a commit that fails at its last step leaves the part for the next attempt', async () => {
  const place = await openPlace();
  const { store, destination } = place;
  const part = await stage(place, numbered(0));
  const broken = { ...store, writeIfAbsent: () => Promise.reject(new Error('the network is down')) };
  const warehouse = await openWarehouse(broken, { destination });
  onTestFinished(() => warehouse.close());
  await expect(commit({ ...place, warehouse }, [part])).rejects.toThrow('the network is down');
  expect(await commit(place, [part])).toMatchObject({ status: 'committed', rows: many });
  expect(await readRows(place, things)).toHaveLength(many);
});

it('the table’s next run changes, drops and adds rows in such a file', async () => {
  const place = await openPlace();
  await commit(place, [await stage(place, numbered(0))]);
  const outcome = await committed(place, things, [numbered(1, 1).slice(0, 10)], { fullRead: true });
  expect(outcome).toMatchObject({ rows: 10, updated: 10, dropped: many - 10 });
});

it('a part whose statistics are gone is read again', async () => {
  const place = await openPlace();
  const part = await stage(place, numbered(0));
  const staged = await place.store.list('_staging/things/');
  const statistics = staged.filter(({ key }) => key.endsWith('.stats'));
  expect(statistics).toHaveLength(1);
  await place.store.delete(statistics.map(({ key }) => key));
  expect(await commit(place, [part])).toMatchObject({
    status: 'overtaken',
    reason: expect.stringContaining(part.name) as string,
  });
});

it('a version that does not know such parts plans again', async () => {
  const place = await openPlace();
  const { isDataFile: _, ...part } = await stage(place, numbered(0));
  expect(await commit(place, [part])).toMatchObject({ status: 'overtaken' });
});

it.each([
  ['a small part', numbered(0).slice(1), true],
  ['a part of a table that exists', numbered(0), false],
])('%s is not made like a data file', async (_, records, isFirst) => {
  const place = await openPlace();
  expect((await stage(place, records, isFirst)).isDataFile).toBeUndefined();
});

it('the file has the table’s columns and no others', async () => {
  const place = await openPlace();
  await commit(place, [await stage(place, numbered(0))]);
  const declared = fieldsOf((await place.warehouse.snapshotOf(things))!.metadata).map(({ name }) => name);
  const [row] = await readRows(place, things);
  expect(Object.keys(row!)).toEqual(declared);
});
