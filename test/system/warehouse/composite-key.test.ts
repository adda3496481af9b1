import { LosslessNumber } from 'lossless-json';
import { describe, expect, it, onTestFinished } from 'vitest';

import type { Table } from '../../../src/tables/table.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { Store } from '../../../src/warehouse/store/store.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { committed, openPlace, type Place, readRows, steps } from '../../helpers/warehouse.ts';

const step = (thing_id: string, number: number | string, name: string) => ({ thing_id, number, name });

/** The rows of a table as `thing_id number name`. */
async function rowsOf(place: Place, table = steps): Promise<string[]> {
  const rows = await readRows(place, table);
  return rows.map((row) => [row['thing_id'], row['number'], row['name']].map(String).join(' '));
}

/** A second warehouse at the place, and the data files that its merges read. */
async function watched(place: Place): Promise<{ place: Place; read: Set<string> }> {
  const read = new Set<string>();
  const store: Store = {
    ...place.store,
    withLocal: (work) =>
      place.store.withLocal((local) =>
        work({
          room: local.room,
          paths: (keys) => {
            for (const key of keys) if (!key.startsWith('_staging/')) read.add(key);
            return local.paths(keys);
          },
        }),
      ),
  };
  const warehouse = await openWarehouse(store, { destination: place.destination });
  onTestFinished(() => warehouse.close());
  return { place: { ...place, warehouse }, read };
}

describe('a key of two columns', () => {
  it('rows that share one column of the key are inserted, updated and deleted each by itself', async () => {
    const place = await openPlace();
    const first = [step('a', 1, 'old'), step('a', 2, 'old'), step('b', 1, 'old')];
    expect(await committed(place, steps, [first])).toMatchObject({ inserted: 3, rows: 3 });
    const changed = [step('a', 2, 'new'), step('b', 2, 'new')];
    expect(await committed(place, steps, [changed])).toMatchObject({ inserted: 1, updated: 1, rows: 4 });
    expect(await rowsOf(place)).toEqual(['a 1 old', 'a 2 new', 'b 1 old', 'b 2 new']);
    const left = [step('a', 2, 'new'), step('b', 1, 'newer')];
    expect(await committed(place, steps, [left], { fullRead: true })).toMatchObject({
      inserted: 0,
      updated: 1,
      dropped: 2,
      rows: 2,
    });
    expect(await rowsOf(place)).toEqual(['a 2 new', 'b 1 newer']);
    const { rows } = await readWithDeltaRs(place.folderOf(steps), { key: steps.primaryKey });
    expect(rows).toMatchObject([step('a', '2', 'new'), step('b', '1', 'newer')]);
  });

  it('if rows are staged twice under one key, the newest wins, and rows that share one column stay', async () => {
    const place = await openPlace();
    const at = (minute: number) => ({ updated_at: `2024-01-01T00:0${minute}:00Z` });
    const batches = [
      [{ ...step('a', 1, 'newest'), ...at(3) }, step('a', 2, 'other')],
      [
        { ...step('a', 1, 'older'), ...at(2) },
        { ...step('b', 1, 'other'), ...at(1) },
      ],
    ];
    expect(await committed(place, steps, batches)).toMatchObject({ inserted: 3, rows: 3 });
    expect(await rowsOf(place)).toEqual(['a 1 newest', 'a 2 other', 'b 1 other']);
  });

  it('a full read makes one row of rows that another writer duplicated', async () => {
    const place = await openPlace();
    const rows = [step('a', 1, 'x'), step('a', 2, 'x')];
    await committed(place, steps, [rows]);
    await changeWithDeltaRs(place.folderOf(steps), { change: 'append' });
    expect(await committed(place, steps, [rows], { fullRead: true })).toMatchObject({ rows: 2, dropped: 2 });
    expect(await rowsOf(place)).toEqual(['a 1 x', 'a 2 x']);
  });

  it('eight small files are compacted into one with every row unchanged', async () => {
    const place = await openPlace();
    for (const [number, thing] of Array.from('hagbfced').entries()) {
      await committed(place, steps, [[step(thing, number, 'x'), step('z', number, 'x')]]);
    }
    const before = await readRows(place, steps);
    const never = new AbortController().signal;
    expect(await place.warehouse.keepUp(steps, 0, never)).toMatchObject({ filesCompacted: 8 });
    expect(before).toHaveLength(16);
    expect(await readRows(place, steps)).toEqual(before);
    const changed = [step('z', 3, 'new'), step('z', 8, 'new')];
    expect(await committed(place, steps, [changed])).toMatchObject({ inserted: 1, updated: 1, rows: 17 });
  });
});

describe('a key that changes with the columns', () => {
  it('rows from before the key had its second column are replaced by a full read', async () => {
    const { number: _, ...columns } = steps.columns;
    const before: Table = { ...steps, primaryKey: ['thing_id'], columns };
    const place = await openPlace();
    await committed(place, before, [
      [
        { thing_id: 'a', name: 'x' },
        { thing_id: 'b', name: 'x' },
      ],
    ]);
    const rows = [step('a', 1, 'x'), step('a', 2, 'x')];
    expect(await committed(place, steps, [rows], { fullRead: true })).toMatchObject({
      rows: 2,
      rowsBefore: 2,
    });
    expect(await rowsOf(place)).toEqual(['a 1 x', 'a 2 x']);
  });

  it('rows whose key had another type are found again if their values fit', async () => {
    const text: Table = {
      ...steps,
      columns: { ...steps.columns, number: { type: 'text', description: 'A text for now.' } },
    };
    const place = await openPlace();
    await committed(place, text, [[step('a', '1', 'x'), step('a', 'two', 'x')]]);
    const rows = [step('a', 1, 'y'), step('a', 2, 'y')];
    expect(await committed(place, steps, [rows], { fullRead: true })).toMatchObject({
      updated: 1,
      inserted: 1,
      dropped: 1,
      rows: 2,
    });
    expect(await rowsOf(place)).toEqual(['a 1 y', 'a 2 y']);
  });
});

describe('the range of the first key column', () => {
  const byNumber: Table = { ...steps, primaryKey: ['number', 'thing_id'] };

  it.each([
    ['text', steps, [step('a', 5, 'x'), step('m', 5, 'x'), step('z', 5, 'x')]],
    ['bigint', byNumber, [step('a', -7, 'x'), step('a', 5, 'x'), step('a', 10, 'x')]],
  ])('only the files whose range of a %s column has a staged key are read', async (_, table, rows) => {
    const place = await openPlace();
    for (const row of rows) await committed(place, table, [[row]]);
    const { place: second, read } = await watched(place);
    const changed = { ...rows[1]!, name: 'y' };
    expect(await committed(second, table, [[changed]])).toMatchObject({ updated: 1, inserted: 0, rows: 3 });
    expect(read.size).toBe(1);
  });

  it('an integer that JSON would round is found in a file of another writer', async () => {
    const large = { thing_id: 'a', number: new LosslessNumber('9007199254740993') };
    const place = await openPlace();
    await committed(place, byNumber, [[step('a', 1, 'x')]]);
    await committed(place, byNumber, [[{ ...large, name: 'x' }]]);
    // delta-rs writes the exact bound, from which JavaScript makes one less.
    await changeWithDeltaRs(place.folderOf(byNumber), { change: 'optimize' });
    const changed = [{ ...large, name: 'y' }];
    expect(await committed(place, byNumber, [changed])).toMatchObject({ updated: 1, inserted: 0, rows: 2 });
  });
});
