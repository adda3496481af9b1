import { LosslessNumber } from 'lossless-json';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RecordShapeError } from '../../../src/errors.ts';
import { rowMaker } from '../../../src/records/rows.ts';
import { losesDigits, utcTime } from '../../../src/records/timestamps.ts';
import { fieldKey, fieldOfKey } from '../../../src/records/unknown-fields.ts';
import { things, thingsWith } from '../../helpers/warehouse.ts';

/** JSON text does not keep the sign of a zero. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

type Cells = { [column: string]: unknown };

const place = () => 'things: record 42 of the batch';

function rowOf(record: object, table = things): Cells {
  return JSON.parse(rowMaker(table)(record, undefined, place)) as Cells;
}

describe('a cell', () => {
  it.each([
    ['name', 'x', 'x'],
    ['rank', -7, -7],
    ['rank', 9_007_199_254_740_991, 9_007_199_254_740_991],
    ['minutes', 0.1, 0.1],
    ['active', false, false],
    ['updated_at', '2024-02-29T23:59:59.123456Z', '2024-02-29T23:59:59.123456Z'],
    ['owner', { id: 'u' }, { id: 'u' }],
    ['owner', 'text', '"text"'],
    ['owner', 5, '5'],
    ['owner', false, 'false'],
    ['tags', [], []],
    ['tags', '', '""'],
  ])('keeps a %s of %j', (column, value, cell) => {
    const row = rowOf({ id: 'a', [column]: value });
    expect(row[column]).toEqual(cell);
    expect(row['__raw']).toBeUndefined();
  });

  it.each([
    ['name', 5],
    ['name', { a: 1 }],
    ['name', true],
    ['rank', '5'],
    ['rank', 1.5],
    ['rank', 1e300],
    ['rank', true],
    ['minutes', '1.5'],
    ['active', 'true'],
    ['active', 1],
    ['updated_at', 1_700_000_000],
    ['updated_at', '2024-01-01'],
  ])('of %s is empty for %j, and the value is in __raw', (column, value) => {
    const row = rowOf({ id: 'a', [column]: value });
    expect(row[column]).toBeUndefined();
    expect(row['__raw']).toEqual({ [column]: JSON.stringify(value) });
  });

  it.each(['updated_at', 'rank', 'minutes', 'active'])(
    'of %s is simply empty for an empty text',
    (column) => {
      expect(rowOf({ id: 'a', [column]: '' })).toEqual({ id: 'a' });
    },
  );

  it.each([
    [5, '5'],
    [0, '0'],
    [new LosslessNumber('12345678901234567890'), '12345678901234567890'],
  ])('of an id holds the digits of a number: %j', (id, text) => {
    const table = thingsWith({ team_id: { type: 'text', description: 'Its team.' } });
    expect(rowOf({ id, owner: { id }, team_id: id }, table)).toMatchObject({
      id: text,
      owner_id: text,
      team_id: text,
    });
    expect(rowOf({ id, name: id }, table)).toMatchObject({ __raw: { name: text } });
  });

  it('holds 64-bit integers that JavaScript cannot hold', () => {
    const row = rowOf({ id: 'a', rank: new LosslessNumber('-9223372036854775808') });
    expect(row['rank']).toBe('-9223372036854775808');
    expect(row['__raw']).toBeUndefined();
  });

  it.each([
    ['rank', '9223372036854775808'],
    ['rank', '12345678901234567.5'],
    ['minutes', '1e400'],
    ['name', '12345678901234567890'],
    ['active', '12345678901234567890'],
    ['updated_at', '12345678901234567890'],
  ])('of %s keeps the digits of the number %s in __raw', (column, digits) => {
    const row = rowOf({ id: 'a', [column]: new LosslessNumber(digits) });
    expect(row[column]).toBeUndefined();
    expect(row['__raw']).toEqual({ [column]: digits });
  });

  it('of type double holds the nearest double', () => {
    expect(rowOf({ id: 'a', minutes: new LosslessNumber('0.12345678901234567890') })['minutes']).toBe(
      0.12345678901234568,
    );
  });

  it('keeps the digits of numbers in nested values', () => {
    const tags = [{ n: new LosslessNumber('12345678901234567890') }];
    expect(rowOf({ id: 'a', tags })['tags']).toBe('[{"n":12345678901234567890}]');
  });

  it('is not misled by a field called isLosslessNumber', () => {
    const owner = { isLosslessNumber: true, value: 'x' };
    expect(JSON.parse(String(rowOf({ id: 'a', owner })['owner']))).toEqual(owner);
  });

  it('keeps half a surrogate pair as an escape, which a text column has only in __raw', () => {
    const row = rowOf({ id: 'a', name: 'cut \ud83d', tags: ['\udc00'], extra: '\ud800', '\ud801': 1 });
    expect(row['name']).toBeUndefined();
    expect(row['__raw']).toEqual({ name: '"cut \\ud83d"' });
    expect(row['tags']).toBe('["\\udc00"]');
    expect(row['__unknown']).toEqual({ extra: '"\\ud800"', '\\ud801': '1' });
  });

  it('keeps text that only looks like an escape', () => {
    expect(rowOf({ id: 'a', name: '\\ud83d', owner: { a: '\\ud800' } })).toMatchObject({
      name: '\\ud83d',
      owner: '{"a":"\\\\ud800"}',
    });
  });

  it('holds the pass, not a field of the same name', () => {
    const base = thingsWith({ mode: { type: 'text', description: 'The pass.' } });
    const table = { ...base, passes: { param: 'mode', values: ['live'], column: 'mode' } };
    const row = JSON.parse(rowMaker(table)({ id: 'a', mode: 'odd' }, 'live', place)) as Cells;
    expect(row).toMatchObject({ mode: 'live', __unknown: { mode: 'odd' } });
  });
});

describe('undeclared fields', () => {
  it('are also in one JSON object if they are more than a table gets columns for', () => {
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`"field" ${index}`, index]));
    expect(rowOf({ id: 'a', ...fields(100) })).not.toHaveProperty('__further');
    const row = rowOf({ id: 'a', ...fields(101) });
    expect(Object.keys(row['__unknown'] as object)).toHaveLength(101);
    expect(JSON.parse(row['__further'] as string)).toMatchObject({ '"field" 0': '0', '"field" 100': '100' });
  });

  it('are kept as text, or as JSON text', () => {
    expect(rowOf({ id: 'a', s: 'x', n: 1, o: { a: [1] }, b: false, z: null })['__unknown']).toEqual({
      s: 'x',
      n: '1',
      o: '{"a":[1]}',
      b: 'false',
    });
  });

  it('may have the names of what every object has', () => {
    const record = JSON.parse(
      '{"id":"a","__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":1}',
    ) as object;
    const text = rowMaker(things)(record, undefined, place);
    expect(text).toContain(
      '"__unknown":{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"1"}',
    );
    expect(({} as Cells)['p']).toBeUndefined();
  });

  it('include one that has the name of a column whose value is nested elsewhere', () => {
    const row = rowOf({ id: 'a', owner: { id: 'u' }, owner_id: 'sent' });
    expect(row).toMatchObject({ owner_id: 'u', __unknown: { owner_id: 'sent' } });
  });

  it('each have a key of their own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const key = fieldKey(name);
        expect(fieldOfKey(key)).toBe(name);
        // SQL cannot hold a NUL, nor DuckDB half a surrogate pair.
        expect(key).not.toMatch(/\0|\p{Surrogate}/u);
      }),
    );
  });
});

describe('a record without a key', () => {
  it.each([{}, { id: null }, { id: '' }, { id: true }, { id: 'x\ud800' }, [], 'text', null])(
    'is named by its place: %j',
    (record) => {
      expect(() => rowMaker(things)(record, undefined, place)).toThrow(RecordShapeError);
      expect(() => rowMaker(things)(record, undefined, place)).toThrow(/things: record 42 of the batch/);
    },
  );
});

it('keeps every value of any record', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue().map(withoutNegativeZero)),
      (fields) => {
        const row = rowOf({ ...fields, id: 'a' });
        const unknown = (row['__unknown'] ?? {}) as { [key: string]: string };
        const raw = (row['__raw'] ?? {}) as { [column: string]: string };
        const kept = Object.entries(fields).flatMap(([field, value]) => {
          if (field === 'id' || value === null) return [];
          if (Object.hasOwn(things.columns, field) && field !== 'owner_id') {
            return Object.hasOwn(raw, field) ? [[value, JSON.parse(raw[field]!)]] : [];
          }
          const cell = unknown[fieldKey(field)];
          return [[value, typeof value === 'string' && cell === value ? cell : JSON.parse(cell!)]];
        });
        expect(kept.map(([, cell]) => cell as unknown)).toEqual(kept.map(([value]) => value));
      },
    ),
  );
});

describe('a time', () => {
  it.each([
    ['2024-01-31T00:00:00Z', '2024-01-31T00:00:00Z'],
    ['2024-01-31t00:00:00.5z', '2024-01-31T00:00:00.5Z'],
    ['2024-03-01T01:30:00.123456+02:00', '2024-02-29T23:30:00.123456Z'],
    ['2023-12-31T23:30:00-01:00', '2024-01-01T00:30:00Z'],
    ['2024-06-30T12:00:00-00:00', '2024-06-30T12:00:00Z'],
    ['1900-01-01T00:00:00Z', '1900-01-01T00:00:00Z'],
    ['2261-12-31T23:59:59.999999Z', '2261-12-31T23:59:59.999999Z'],
    ['2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00.123456Z'],
    ['1899-12-31T23:00:00-02:00', '1900-01-01T01:00:00Z'],
  ])('in UTC: %s is %s', (text, utc) => {
    expect(utcTime(text)).toBe(utc);
  });

  it.each([
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+0100',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00Z\n',
    ' 2024-01-01T00:00:00Z',
    '12024-01-01T00:00:00Z',
    // Go's zero time, and others that stop a reader for the whole column.
    '0001-01-01T00:00:00Z',
    '1899-12-31T23:59:59Z',
    '1900-01-01T00:00:00+00:01',
    '2262-01-01T00:00:00Z',
    '2261-12-31T23:59:59-00:01',
    '9999-12-31T00:00:00Z',
    'now',
    '',
  ])('cannot be %j', (text) => {
    expect(utcTime(text)).toBeUndefined();
  });

  it('with digits below the microsecond also keeps its text', () => {
    const text = '2024-01-01T00:00:00.123456789Z';
    expect(rowOf({ id: 'a', updated_at: text })).toMatchObject({
      updated_at: '2024-01-01T00:00:00.123456Z',
      __raw: { updated_at: JSON.stringify(text) },
    });
    expect(losesDigits('2024-01-01T00:00:00.123456000Z')).toBe(false);
    expect(losesDigits('2024-01-01T00:00:00.123456001+01:00')).toBe(true);
  });

  it('is the same instant with any offset', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('1900-01-03T00:00:00Z'),
          max: new Date('2261-12-29T00:00:00Z'),
          noInvalidDate: true,
        }),
        fc.integer({ min: -1439, max: 1439 }),
        (date, ahead) => {
          const local = new Date(date.getTime() + ahead * 60_000).toISOString().slice(0, -1);
          const [hours, minutes] = [Math.trunc(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
          const two = (number: number) => String(number).padStart(2, '0');
          const text = `${local}${ahead < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
          expect(utcTime(text)).toBe(date.toISOString());
        },
      ),
    );
  });
});
