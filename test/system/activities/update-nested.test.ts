import { rm } from 'node:fs/promises';

import { expect, it } from 'vitest';

import { updateNested } from '../../../activities/update-nested.ts';
import { defineNested, joins, type NestedTable, position } from '../../../src/tables/nested/nested.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { committed, openPlace, type Place, readRows, things } from '../../helpers/warehouse.ts';

const tags = defineNested({
  name: 'thing_tags',
  description: 'One row is a tag of a thing.',
  itemsOf: { table: things, path: 'tags[]', by: ['thing_id'], position: 'position' },
  primaryKey: ['thing_id', 'position'],
  columns: { thing_id: joins('things'), position, name: { type: 'text', description: 'Its name.' } },
});

const owners = defineNested({
  name: 'thing_owners',
  description: 'One row is an owner of a thing.',
  itemsOf: { table: things, path: 'owner.all[]', by: ['thing_id'] },
  primaryKey: ['thing_id', 'id'],
  columns: { thing_id: joins('things'), id: { type: 'text', description: 'Id of the owner.' } },
});

let runs = 0;

function update(
  place: Place,
  nested: readonly NestedTable[] = [tags, owners],
  warehouse: Warehouse = place.warehouse,
) {
  runs += 1;
  const run = {
    table: 'things',
    chainId: `nested-${runs}`,
    apiKey: { env: 'KEY' },
    baseUrl: 'https://api.incident.example',
    account: 'unknown',
    limits: { batchRows: 1, batchMs: 1, giveUpAfterMs: 1 },
  };
  return updateNested(
    { run },
    nested,
    { table: things, warehouse },
    { signal: new AbortController().signal },
  );
}

const thing = (id: string, ...names: readonly string[]) => ({ id, tags: names.map((name) => ({ name })) });

async function tagsOf(place: Place): Promise<string[]> {
  return (await readRows(place, tags)).map(({ thing_id: id, name }) => `${String(id)} ${String(name)}`);
}

it('is made from all rows at first, then from those that changed, and stays untouched if nothing did', async () => {
  const place = await openPlace();
  await committed(place, things, [[thing('a', 'x', 'y'), thing('b', 'x'), { id: 'c' }]]);
  const first = await update(place);
  expect(first.tables).toMatchObject([
    { table: 'thing_tags', rows: 3, inserted: 3 },
    { table: 'thing_owners', rows: 0 },
  ]);
  const before = await readRows(place, tags);
  await committed(place, things, [[thing('a', 'x', 'y'), thing('b', 'z', 'x'), thing('c', 'x')]]);
  expect((await update(place)).tables).toMatchObject([
    { inserted: 2, updated: 1, dropped: 0 },
    { inserted: 0 },
  ]);
  expect(await tagsOf(place)).toEqual(['a x', 'a y', 'b z', 'b x', 'c x']);
  // The rows of an unchanged thing stay the same.
  expect((await readRows(place, tags)).slice(0, 2)).toEqual(before.slice(0, 2));
  await committed(place, things, [[thing('a', 'x', 'y')]]);
  expect((await update(place)).tables).toEqual([]);
});

it('loses the rows of parents that are gone', async () => {
  const place = await openPlace();
  await committed(place, things, [[thing('a', 'x'), thing('b', 'x')]]);
  await update(place);
  await committed(place, things, [[thing('b', 'x')]], { fullRead: true });
  expect((await update(place)).tables).toMatchObject([{ dropped: 1 }, { dropped: 0 }]);
  expect(await tagsOf(place)).toEqual(['b x']);
});

it('catches up with several versions after it was left out for a while', async () => {
  const place = await openPlace();
  await committed(place, things, [[thing('a', 'x'), thing('b', 'x')]]);
  await update(place);
  await committed(place, things, [[thing('a', 'one')]]);
  await committed(place, things, [[thing('b', 'two'), thing('c', 'three')]]);
  await committed(place, things, [[thing('a', 'one'), thing('c', 'three')]], { fullRead: true });
  await update(place);
  expect(await tagsOf(place)).toEqual(['a one', 'c three']);
});

it('is made again from all rows after a resync, and after its parent was created again', async () => {
  const place = await openPlace();
  await committed(place, things, [[thing('a', 'x')]]);
  await update(place);
  await place.warehouse.resetState(tags);
  expect((await update(place)).tables).toMatchObject([{ table: 'thing_tags', rows: 1, updated: 0 }]);
  await rm(place.folderOf(things), { recursive: true });
  await committed(place, things, [[thing('b', 'y')]]);
  await update(place);
  expect(await tagsOf(place)).toEqual(['b y']);
});

it('a new field of an item is filled in every row at once', async () => {
  const place = await openPlace();
  const coloured = (id: string) => ({ id, tags: [{ name: 'x', colour: 'red' }] });
  await committed(place, things, [[coloured('a'), thing('b', 'x')]]);
  // Made by a program that did not know the field: the text is in the parent, but not in the table.
  await update(place);
  await committed(place, things, [[{ ...thing('b', 'x'), tags: [{ name: 'x', shape: 'round' }] }]]);
  const { notes } = await update(place);
  expect(notes).toEqual([expect.stringContaining('shape')]);
  expect(await readRows(place, tags)).toMatchObject([{ colour: 'red' }, { shape: 'round' }]);
  expect(await place.warehouse.readState(tags)).toHaveProperty('parent');
});

it('an item that cannot be a row is left out and reported', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a', owner: { all: [{ id: 'o' }, { name: 'no id' }] } }]]);
  const { notes } = await update(place);
  expect(notes).toEqual([expect.stringMatching(/^thing_owners: 1 /)]);
  expect(await readRows(place, owners)).toMatchObject([{ id: 'o' }]);
});

it('one table that fails does not stop the others, is reported, and is made by the next run', async () => {
  const place = await openPlace();
  await committed(place, things, [
    [{ ...thing('a', 'x'), owner: { all: [{ id: 'o' }, { name: 'no id' }] } }],
  ]);
  const failing: Warehouse = {
    ...place.warehouse,
    commit: (table, request) =>
      table.name === 'thing_tags'
        ? Promise.reject(new Error('broken'))
        : place.warehouse.commit(table, request),
  };
  await expect(update(place, [tags, owners], failing)).rejects.toThrow('broken');
  expect(await readRows(place, owners)).toMatchObject([{ thing_id: 'a', id: 'o' }]);
  expect(await place.store.list('_staging/')).toEqual([]);
  await update(place);
  expect(await tagsOf(place)).toEqual(['a x']);
});
