import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import type { ApiRecord, Table } from '../../../src/tables/table.ts';
import type { Add } from '../../../src/warehouse/delta/actions.ts';
import { statisticsIn } from '../../../src/warehouse/delta/statistics.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { Store } from '../../../src/warehouse/store/store.ts';
import { bucketFolder, canDeltaRsWrite } from '../../helpers/bucket.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { committed, openPlace, readRows, steps, things, thingsWith } from '../../helpers/warehouse.ts';

const at = (minute: number | null) =>
  minute === null ? 'unreadable' : `2024-01-01T00:${String(minute).padStart(2, '0')}:00Z`;

type Staged = {
  readonly id: string;
  readonly name: string;
  readonly minute: number | null;
  readonly extra: string | null;
};

/** The table as it should be: rows by id, each with the run that wrote it last. */
type Model = Map<string, Staged & { readonly writtenIn: number }>;

/** Whether a staged row is at least as new as one that was staged before it. */
function atLeastAsNew(a: Staged, b: Staged): boolean {
  return (a.minute ?? Infinity) >= (b.minute ?? Infinity);
}

function runModel(
  before: Model,
  batches: readonly (readonly Staged[])[],
  fullRead: boolean,
  run: number,
): Model {
  const newest = new Map<string, Staged>();
  for (const row of batches.flat()) {
    const other = newest.get(row.id);
    if (!other || atLeastAsNew(row, other)) newest.set(row.id, row);
  }
  const after: Model = fullRead ? new Map() : new Map(before);
  for (const row of newest.values()) {
    const old = before.get(row.id);
    const same = old && old.name === row.name && old.minute === row.minute && old.extra === row.extra;
    const stale = !fullRead && old && old.minute !== null && row.minute !== null && row.minute < old.minute;
    after.set(row.id, old && (same || stale) ? old : { ...row, writtenIn: run });
  }
  return after;
}

// Some are ordered differently by UTF-16, as JavaScript compares, and by UTF-8, as Parquet does.
const ids = 'a b c d e f ÿ \uffee \u{1f692}'
  .split(' ')
  .concat(`${'long '.repeat(9)}1`, `${'long '.repeat(9)}2`);

type Row = { readonly [column: string]: unknown };

/** A table, and how its key holds the id of the model. */
type KeyShape = {
  readonly table: Table;
  readonly keyOf: (id: string) => ApiRecord;
  readonly idOf: (row: Row) => string;
};

const oneColumn: KeyShape = { table: things, keyOf: (id) => ({ id }), idOf: (row) => String(row['id']) };

/** Three ids in a row share the first column. */
const twoColumns: KeyShape = {
  table: steps,
  keyOf: (id) => {
    const number = ids.indexOf(id) % 3;
    return { thing_id: ids[ids.indexOf(id) - number], number };
  },
  idOf: (row) => ids[ids.indexOf(String(row['thing_id'])) + Number(row['number'])]!,
};

const staged: fc.Arbitrary<Staged> = fc.record({
  id: fc.constantFrom(...ids),
  name: fc.constantFrom('x', 'y'),
  minute: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 4 }),
  extra: fc.option(fc.constantFrom('1', '2')),
});
const aRun = fc.record({
  batches: fc.array(fc.array(staged, { maxLength: 6 }), { maxLength: 12 }),
  fullRead: fc.boolean(),
});

it.each([
  ['one column', oneColumn, 40],
  ['two columns', twoColumns, 16],
])(
  'with a key of %s any sequence of runs makes the table that the model says',
  async (_, shape, numRuns) => {
    const { table, keyOf, idOf } = shape;
    const recordOf = ({ id, name, minute, extra }: Staged) => ({
      ...keyOf(id),
      name,
      updated_at: at(minute),
      extra,
    });
    const valuesOf = (row: Row) => ({
      name: row['name'],
      minute: typeof row['updated_at'] === 'string' ? Number(row['updated_at'].slice(14, 16)) : null,
      extra: row['extra'] ?? null,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(aRun, { minLength: 1, maxLength: 5 }), async (runs) => {
        const place = await openPlace();
        let model: Model = new Map();
        const syncedAt = new Map<string, unknown>();
        for (const [number, { batches, ...run }] of runs.entries()) {
          const fullRead = run.fullRead || number === 0;
          const before = model;
          model = runModel(model, batches, fullRead, number);
          const records = batches.map((batch) => batch.map(recordOf));
          const outcome = await committed(place, table, records, { fullRead });
          const rows = await readRows(place, table);
          expect(rows).toHaveLength(model.size);
          expect(new Map(rows.map((row) => [idOf(row), valuesOf(row)]))).toEqual(
            new Map([...model].map(([id, { name, minute, extra }]) => [id, { name, minute, extra }])),
          );
          const fresh = [...model.values()].filter(({ writtenIn }) => writtenIn === number);
          expect(outcome).toMatchObject({
            rows: model.size,
            rowsBefore: before.size,
            inserted: fresh.filter(({ id }) => !before.has(id)).length,
            updated: fresh.filter(({ id }) => before.has(id)).length,
            dropped: [...before.keys()].filter((id) => !model.has(id)).length,
          });
          const untouched = rows.filter((row) => model.get(idOf(row))?.writtenIn !== number);
          expect(untouched.map((row) => row['_synced_at'])).toEqual(
            untouched.map((row) => syncedAt.get(idOf(row))),
          );
          for (const row of rows) syncedAt.set(idOf(row), row['_synced_at']);
        }
        const { rows } = await readWithDeltaRs(place.folderOf(table), { key: table.primaryKey });
        expect(rows).toHaveLength(model.size);
        expect(new Map(rows.map((row) => [idOf(row), row['name']]))).toEqual(
          new Map([...model.values()].map(({ id, name }) => [id, name])),
        );
      }),
      // Requests to a bucket take time.
      { numRuns: bucketFolder() ? numRuns / 4 : numRuns },
    );
  },
  240_000,
);

describe('rows of one key', () => {
  it('the row that was staged last wins in a table without updated_at', async () => {
    const { updated_at: _, ...columns } = things.columns;
    const table = { ...things, columns: { ...columns, id: things.columns['id']! } };
    const place = await openPlace();
    // More than ten parts, so that the order of their numbers is not the order of these as text.
    const batches = Array.from({ length: 12 }, (_, number) => [
      { id: 'a', name: `first of ${number}` },
      { id: 'a', name: `second of ${number}`, updated_at: at(50 - number) },
    ]);
    await committed(place, table, batches);
    expect(await readRows(place, table)).toMatchObject([{ id: 'a', name: 'second of 11' }]);
    await committed(place, table, [[{ id: 'a', name: 'later run', updated_at: at(0) }]]);
    expect(await readRows(place, table)).toMatchObject([{ id: 'a', name: 'later run' }]);
  });

  it('a staged row that is older replaces the row of the table in a full read only', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'new', updated_at: at(5) }]]);
    expect(await committed(place, things, [[{ id: 'a', name: 'old', updated_at: at(4) }]])).toMatchObject({
      updated: 0,
    });
    expect(await readRows(place, things)).toMatchObject([{ name: 'new' }]);
    await committed(place, things, [[{ id: 'a', name: 'old', updated_at: at(4) }]], { fullRead: true });
    expect(await readRows(place, things)).toMatchObject([{ name: 'old' }]);
  });

  it.skipIf(!canDeltaRsWrite())('a full read makes one row of two that another writer doubled', async () => {
    const place = await openPlace();
    const rows = [{ id: 'a', name: 'x' }, { id: 'b' }];
    await committed(place, things, [rows]);
    await changeWithDeltaRs(place.folderOf(things), { change: 'append' });
    expect(await readRows(place, things)).toHaveLength(4);
    expect(await committed(place, things, [rows], { fullRead: true })).toMatchObject({
      rows: 2,
      rowsBefore: 4,
      dropped: 2,
    });
    expect(await readRows(place, things)).toMatchObject([{ id: 'a', name: 'x' }, { id: 'b' }]);
  });
});

describe('files', () => {
  const many = (from: number, until: number, name = 'x') =>
    Array.from({ length: until - from }, (_, index) => ({ id: String(from + index).padStart(8, '0'), name }));

  it('a merge rewrites the files with a changed row and no others', async () => {
    const place = await openPlace();
    await committed(place, things, [many(0, 60_000), many(60_000, 120_000), many(120_000, 150_000)]);
    const before = await readWithDeltaRs(place.folderOf(things), { where: ['id', '00000000'] });
    expect(before.files).toBe(2);
    const outcome = await committed(place, things, [many(70_000, 70_001, 'y'), many(150_000, 150_001)]);
    expect(outcome).toMatchObject({ inserted: 1, updated: 1, rows: 150_001 });
    const { files } = await readWithDeltaRs(place.folderOf(things), { where: ['id', '00000000'] });
    expect(files).toBe(3);
    const full = await committed(
      place,
      things,
      [many(0, 70_000), many(70_000, 70_001, 'y'), many(70_001, 150_000)],
      {
        fullRead: true,
      },
    );
    expect(full).toMatchObject({ inserted: 0, updated: 0, dropped: 1, rows: 150_000, bytesWritten: 0 });
    const rows = await readRows(place, things);
    expect(rows).toHaveLength(150_000);
    expect(rows.filter(({ name }) => name === 'y')).toMatchObject([{ id: '00070000' }]);
  });

  it('parts with older rows come first in the files, in whatever order their windows were read', async () => {
    const table = thingsWith({ created_at: { type: 'timestamp', description: 'A time.' } });
    const place = await openPlace();
    const months = ['2024-06', '2024-01', '2024-07', '2024-02'];
    const parts = months.map((month, n) =>
      many(n * 30_000, (n + 1) * 30_000).map((row) => ({ ...row, created_at: `${month}-01T00:00:00Z` })),
    );
    await committed(place, table, parts);
    const log = await place.store.read(`${table.name}/_delta_log/00000000000000000000.json`);
    const actions = log!
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { add?: Add });
    const spans = actions.flatMap(({ add }) => {
      if (!add) return [];
      const { minValues, maxValues } = statisticsIn(add);
      return [[minValues!['created_at'], maxValues!['created_at']]];
    });
    expect(spans).toEqual([
      ['2024-01-01T00:00:00.000Z', '2024-06-01T00:00:00.000Z'],
      ['2024-07-01T00:00:00.000Z', '2024-07-01T00:00:00.000Z'],
    ]);
  });

  it('a merge with room for one local file at a time gives the same rows', async () => {
    const place = await openPlace();
    const { store } = place;
    let largest = 0;
    const cramped: Store = {
      ...store,
      withLocal: (work) =>
        store.withLocal((local) =>
          work({
            room: 1,
            paths: (keys) => {
              largest = Math.max(largest, keys.length);
              return local.paths(keys);
            },
          }),
        ),
    };
    const warehouse = await openWarehouse(cramped, { destination: place.destination });
    onTestFinished(() => warehouse.close());
    const crampedPlace = { ...place, warehouse };
    const batches = [many(0, 10), many(10, 20), many(20, 30), many(5, 6, 'twice'), many(100, 102)];
    for (const batch of batches.slice(0, 3)) await committed(place, things, [batch]);
    await committed(place, things, [many(0, 30)], { fullRead: true });
    const changed = many(0, 30, 'y').map((row, index) => (index % 4 === 0 ? row : { ...row, name: 'x' }));
    const news = [0, 1, 2].map((part) => changed.filter((_, index) => index % 3 === part));
    // Every file has changed rows in three parts or more, in no order.
    expect(
      await committed(crampedPlace, things, [...news, ...batches.slice(3)], { fullRead: true }),
    ).toMatchObject({ updated: 9, inserted: 2, dropped: 0, rows: 32 });
    expect(largest).toBe(1);
    const expected = new Map(changed.map(({ id, name }) => [id, name]));
    for (const { id, name } of batches.slice(3).flat()) expected.set(id, name);
    expect(new Map((await readRows(place, things)).map(({ id, name }) => [id, name]))).toEqual(expected);
  });

  it('rows of a file without a later column keep null there when another row of the file changes', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }, { id: 'b' }]]);
    await committed(place, things, [[{ id: 'c', later: 'x' }]]);
    await committed(place, things, [[{ id: 'a', name: 'n', later: 'y' }]]);
    expect(await readRows(place, things)).toMatchObject([
      { id: 'a', name: 'n', later: 'y' },
      { id: 'b', name: null, later: null },
      { id: 'c', later: 'x' },
    ]);
  });

  it('columns may have the names that the merge uses in its SQL', async () => {
    const column = { type: 'text', description: 'A text.' } as const;
    const names = [
      'part',
      'pos',
      'file',
      'key0',
      'existing',
      'winners',
      'matched',
      'dropped',
      'inserted',
      'number',
      'changed',
      'old_at',
      'new_at',
      'old0',
      'staged',
      'e',
      's',
    ];
    const table = thingsWith(Object.fromEntries(names.map((name) => [name, column])));
    const record = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
    const place = await openPlace();
    await committed(place, table, [
      [
        { id: 'a', ...record('1') },
        { id: 'b', ...record('1') },
      ],
    ]);
    await committed(place, table, [
      [
        { id: 'a', ...record('2') },
        { id: 'c', ...record('2') },
        { id: 'c', ...record('3') },
      ],
    ]);
    expect(await readRows(place, table)).toMatchObject([
      { id: 'a', ...record('2') },
      { id: 'b', ...record('1') },
      { id: 'c', ...record('3') },
    ]);
  });
});
