import { expect, it } from 'vitest';

import { parseCell } from '../../../src/records/items.ts';
import { NestedRows } from '../../../src/records/nested-rows.ts';
import { defineNested, joins, type NestedTable, position } from '../../../src/tables/nested/nested.ts';
import { steps, things } from '../../helpers/things.ts';

const parts = defineNested({
  name: 'parts',
  description: 'One row is a part.',
  itemsOf: {
    table: things,
    path: 'boxes[].parts[]',
    by: ['thing_id'],
    position: 'position',
    outerPosition: 'box_position',
    outer: { box: ['label'] },
  },
  primaryKey: ['thing_id', 'box_position', 'position'],
  columns: {
    thing_id: joins('things'),
    box_position: position,
    position,
    box: { type: 'text', description: 'The box.' },
    owner_id: joins('owners', ['owner', 'id']),
    weight: { type: 'double', description: 'The weight.' },
  },
});

function rowsOf(table: NestedTable, key: readonly unknown[], text: string) {
  const rows = new NestedRows(table);
  rows.add(key, parseCell(text));
  const { bytes, count } = rows.take();
  const lines = bytes.toString().split('\n').slice(0, -1);
  expect(lines).toHaveLength(count);
  return { lines, rows: lines.map((line) => JSON.parse(line) as object), leftOut: rows.leftOut };
}

it('a row has the keys of its parent, its places, what is around it, and typed values', () => {
  const boxes = [
    { label: 'red', parts: [{ owner: { id: 'o1' }, weight: 1.5, colour: 'new' }, { weight: 'heavy' }] },
    { label: 'blue', parts: null },
    { label: 'green', parts: [null, { weight: '' }] },
  ];
  const { rows } = rowsOf(parts, ['t'], JSON.stringify(boxes));
  expect(rows).toEqual([
    {
      thing_id: 't',
      box_position: 1,
      position: 1,
      box: 'red',
      owner_id: 'o1',
      weight: 1.5,
      __unknown: { colour: 'new' },
    },
    { thing_id: 't', box_position: 1, position: 2, box: 'red', __raw: { weight: '"heavy"' } },
    { thing_id: 't', box_position: 3, position: 2, box: 'green' },
  ]);
});

it('an item that is in one of two fields has a row from whichever is there', () => {
  const table = defineNested({
    ...parts,
    itemsOf: {
      table: things,
      path: 'values{}.value|array_value[]',
      by: ['thing_id'],
      position: 'position',
      entry: 'box',
    },
    primaryKey: ['thing_id', 'box', 'position'],
  });
  const values = { a: { value: { weight: 1 } }, b: { array_value: [{ weight: 2 }, { weight: 3 }] }, c: {} };
  expect(rowsOf(table, ['t'], JSON.stringify(values)).rows).toMatchObject([
    { box: 'a', position: 1, weight: 1 },
    { box: 'b', position: 1, weight: 2 },
    { box: 'b', position: 2, weight: 3 },
  ]);
});

it('texts and numbers are values of their own, with the digits that the API sent', () => {
  const table = defineNested({
    name: 'totals',
    description: 'One row is a total.',
    itemsOf: { table: steps, path: 'totals{}', by: ['thing_id', 'number'], entry: 'currency' },
    primaryKey: ['thing_id', 'number', 'currency'],
    columns: {
      thing_id: joins('things'),
      number: { type: 'bigint', description: 'The number.' },
      currency: { type: 'text', description: 'The currency.' },
      total: { type: 'bigint', description: 'The total.', from: ['value'] },
    },
  });
  const { rows, lines } = rowsOf(table, ['t', 7], '{"USD":9007199254740993,"EUR":2,"CHF":null}');
  expect(rows).toMatchObject([{ currency: 'USD' }, { currency: 'EUR', total: 2 }]);
  expect(lines[0]).toContain('9007199254740993');
});

it('an item without a value for the key is counted, and a value of another kind has no items', () => {
  const table = defineNested({
    ...parts,
    itemsOf: { table: things, path: 'boxes[]', by: ['thing_id'] },
    primaryKey: ['thing_id', 'box'],
  });
  expect(rowsOf(table, ['t'], '[{"weight":1},{"box":"red"}]')).toMatchObject({
    rows: [{ box: 'red' }],
    leftOut: 1,
  });
  expect(rowsOf(parts, ['t'], '"text"').rows).toEqual([]);
});

it('everything in the list lands in the row: secrets were cut out before', () => {
  const { rows } = rowsOf(parts, ['t'], '[{"label":"red","parts":[{"token":"said to be harmless"}]}]');
  expect(rows).toMatchObject([{ __unknown: { token: 'said to be harmless' } }]);
});
