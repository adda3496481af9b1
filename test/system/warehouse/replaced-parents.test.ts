import { rm } from 'node:fs/promises';

import { expect, it } from 'vitest';

import type { Table } from '../../../src/tables/table.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { CommitOutcome, CommitRequest } from '../../../src/warehouse/warehouse.ts';
import type { ReplacedParents } from '../../../src/warehouse/replaced-rows.ts';
import type { ParentKey } from '../../../src/warehouse/part.ts';
import {
  committed,
  openPlace,
  type Place,
  readRows,
  stage,
  state,
  steps,
  things,
} from '../../helpers/warehouse.ts';

/** A table whose key has two columns, and its children. */
const rooms = tableOf('rooms', ['house', 'number']);
const chairs = tableOf('chairs', ['house', 'number', 'id']);

function tableOf(name: string, primaryKey: readonly [string, ...string[]]): Table {
  return {
    ...things,
    name,
    primaryKey,
    columns: {
      house: { type: 'text', description: 'The house.' },
      number: { type: 'bigint', description: 'The number in the house.' },
      id: { type: 'text', description: 'The id.' },
      name: { type: 'text', description: 'The name.' },
      seen_at: { type: 'text', description: 'When it was seen.', volatile: true },
      updated_at: { type: 'timestamp', description: 'When it last changed.' },
    },
  };
}

let runs = 0;

type ChildRun = {
  readonly rows: readonly { readonly [field: string]: unknown }[];
  readonly read: readonly ParentKey[];
  readonly options?: Partial<Pick<ReplacedParents, 'within' | 'alive'>>;
};

/** Commits rows of children, and the parents that were read, on the parent's newest version. */
async function childRun(
  place: Place,
  [parent, child]: readonly [Table, Table],
  { rows, read, options = {} }: ChildRun,
): Promise<{ outcome: CommitOutcome; again: () => Promise<CommitOutcome> }> {
  runs += 1;
  const chainId = `child-${runs}`;
  const { warehouse } = place;
  const by = child.primaryKey.slice(0, parent.primaryKey.length) as [string, ...string[]];
  const seen = (await warehouse.newestVersion(parent))!;
  const keys = await warehouse.createKeys(child, by, chainId);
  await keys.add(read);
  const keyPart = await keys.finish();
  const request: CommitRequest = {
    chainId,
    parts: await stage(place, child, chainId, rows),
    fullRead: false,
    plannedOn: (await warehouse.readState(child))?.counter ?? 'none',
    replaces: {
      by,
      read: keyPart ? [keyPart] : [],
      alive: { ...seen, table: parent.name, key: parent.primaryKey },
      ...options,
    },
    state: { ...state, parent: seen },
  };
  const again = () => warehouse.commit(child, request);
  return { outcome: await again(), again };
}

const stepsOf = (thing: string, ...names: readonly string[]) =>
  names.map((name, number) => ({ thing_id: thing, number, name }));
const summary = (rows: readonly { readonly [column: string]: unknown }[]) =>
  rows.map(({ thing_id: thing, name }) => `${String(thing)} ${String(name)}`);

it('rows of parents that were read are replaced, rows of missing parents are dropped, all others stay', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }, { id: 'b' }, { id: 'c' }]]);
  const first = [...stepsOf('a', 'a0', 'a1'), ...stepsOf('b', 'b0', 'b1', 'b2'), ...stepsOf('c', 'c0')];
  await childRun(place, [things, steps], { rows: first, read: [['a'], ['b'], ['c']] });
  const before = await readRows(place, steps);
  await committed(place, things, [[{ id: 'a' }, { id: 'b' }]], { fullRead: true });
  const { outcome } = await childRun(place, [things, steps], {
    rows: stepsOf('b', 'b0', 'new'),
    read: [['b']],
  });
  expect(outcome).toMatchObject({ status: 'committed', inserted: 0, updated: 1, dropped: 2, rows: 4 });
  const rows = await readRows(place, steps);
  expect(summary(rows)).toEqual(['a a0', 'a a1', 'b b0', 'b new']);
  const at = (list: typeof rows, name: string) => list.find((row) => row['name'] === name)?.['_synced_at'];
  expect(at(rows, 'b0')).toBe(at(before, 'b0'));
});

it('a parent that was read without a row loses its rows', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }, { id: 'b' }]]);
  const rows = [...stepsOf('a', 'a0'), ...stepsOf('b', 'b0')];
  await childRun(place, [things, steps], { rows, read: [['a'], ['b']] });
  await childRun(place, [things, steps], { rows: [], read: [['a']] });
  expect(summary(await readRows(place, steps))).toEqual(['b b0']);
});

it('rows that are read again without a change rewrite no file', async () => {
  const place = await openPlace();
  await committed(place, rooms, [[{ house: 'x', number: 1 }]]);
  const chair = { house: 'x', number: 1, id: 'chair', name: 'old' };
  await childRun(place, [rooms, chairs], { rows: [{ ...chair, seen_at: 'monday' }], read: [['x', '1']] });
  const { outcome } = await childRun(place, [rooms, chairs], {
    rows: [{ ...chair, seen_at: 'tuesday' }],
    read: [['x', '1']],
  });
  expect(outcome).toMatchObject({ updated: 0, dropped: 0, inserted: 0, bytesWritten: 0 });
});

it('a parent is identified by all columns of its key, in which null is a value', async () => {
  const place = await openPlace();
  await committed(place, rooms, [
    [
      { house: 'x', number: 1 },
      { house: 'x', number: 2 },
      { house: 'y', number: 1 },
    ],
  ]);
  const chairIn = (house: string, number: number) => ({ house, number, id: `${house}${number}` });
  const all = [chairIn('x', 1), chairIn('x', 2), chairIn('y', 1), chairIn('z', 1)];
  const read = all.map(({ house, number }) => [house, String(number)]);
  await childRun(place, [rooms, chairs], { rows: all, read });
  const { outcome } = await childRun(place, [rooms, chairs], {
    rows: [],
    read: [
      ['x', '2'],
      ['y', null],
      [null, '1'],
    ],
  });
  // z has no such room, and neither key with a null is that of a room.
  expect(outcome).toMatchObject({ dropped: 2 });
  expect((await readRows(place, chairs)).map(({ id }) => id)).toEqual(['x1', 'y1']);
});

it('the rows of a parent come from one reading: an older row replaces a newer one', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }]]);
  const step = (name: string, day: number) => [
    { thing_id: 'a', number: 1, name, updated_at: `2026-01-0${day}T00:00:00Z` },
  ];
  await childRun(place, [things, steps], { rows: step('new', 2), read: [['a']] });
  await childRun(place, [things, steps], { rows: step('old', 1), read: [['a']] });
  expect(summary(await readRows(place, steps))).toEqual(['a old']);
});

it('rows of a parent outside the times that were read stay', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }, { id: 'b' }]]);
  const step = (thing: string, day: number) => ({
    thing_id: thing,
    number: day,
    name: `day ${day}`,
    updated_at: `2026-01-0${day}T00:00:00Z`,
  });
  const rows = [step('a', 1), step('a', 2), step('b', 2)];
  await childRun(place, [things, steps], { rows, read: [['a'], ['b']] });
  const within = {
    start: 'updated_at',
    end: 'updated_at',
    from: Date.parse('2026-01-02') - 1,
    to: Date.parse('2026-01-03'),
  };
  await childRun(place, [things, steps], {
    rows: [],
    read: [['a']],
    options: { within },
  });
  expect(summary(await readRows(place, steps))).toEqual(['a day 1', 'b day 2']);
});

it('a commit whose answer was lost is not made again', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }]]);
  const { outcome, again } = await childRun(place, [things, steps], {
    rows: stepsOf('a', 'x'),
    read: [['a']],
  });
  expect(outcome.status).toBe('committed');
  expect(await again()).toMatchObject({ status: 'already_committed', version: 0 });
});

it('the version of the parent that was read counts, as long as it is available', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }, { id: 'b' }]]);
  const { tableId, version } = (await place.warehouse.newestVersion(things))!;
  const alive = { table: 'things', key: ['id'], tableId, version } as const;
  await committed(place, things, [[{ id: 'b' }]], { fullRead: true });
  const rows = stepsOf('a', 'x');
  await childRun(place, [things, steps], { rows, read: [['a']], options: { alive } });
  await childRun(place, [things, steps], { rows: [], read: [], options: { alive } });
  expect(summary(await readRows(place, steps))).toEqual(['a x']);
  for (const gone of [
    { ...alive, version: 7 },
    { ...alive, tableId: 'another' },
  ]) {
    const { outcome } = await childRun(place, [things, steps], {
      rows: [],
      read: [],
      options: { alive: gone },
    });
    expect(outcome.status).toBe('overtaken');
  }
});

it('keys that are missing in the staging do not count as an empty list', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }]]);
  const { again } = await childRun(place, [things, steps], { rows: [], read: [['a']] });
  await rm(place.folderOf(steps), { recursive: true });
  await place.warehouse.discardAll(steps);
  expect(await again()).toMatchObject({ status: 'overtaken' });
});

it('the state has the version of the parent that was seen, until a resync', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }]]);
  await committed(place, things, [[{ id: 'b' }]]);
  await childRun(place, [things, steps], { rows: [], read: [] });
  const parent = await place.warehouse.newestVersion(things);
  expect(parent).toMatchObject({ version: 1 });
  expect(await place.warehouse.readState(steps)).toMatchObject({ parent });
  await place.warehouse.resetState(steps);
  expect(await place.warehouse.readState(steps)).not.toHaveProperty('parent');
});

it('commits are at least a millisecond apart, even if the clock goes back', async () => {
  const { root, destination, store, warehouse: first } = await openPlace();
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const warehouse = await openWarehouse(store, { destination, now: () => clock.now });
  const place = { root, destination, store, warehouse, folderOf: () => '' };
  await committed(place, things, [[{ id: 'a' }]]);
  clock.now -= 60_000;
  await committed(place, things, [[{ id: 'b' }]]);
  await warehouse.close();
  await first.close();
  expect((await readRows(place, things)).map((row) => row['_synced_at'])).toEqual([
    '2026-01-01 00:00:00+00',
    '2026-01-01 00:00:00.001+00',
  ]);
});
