import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RecordShapeError } from '../../../src/errors.ts';
import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { parseJson } from '../../../src/records/json.ts';
import type { Table } from '../../../src/tables/table.ts';
import { anyAnswer } from '../../helpers/any-answer.ts';
import { things, thingsWith } from '../../helpers/things.ts';

type Cells = { [column: string]: unknown };

function read(text: string | Buffer, table: Table = things, rows = new AnswerRows(table)) {
  const { lines, rest } = rows.read(Buffer.from(text), undefined, 40);
  return { lines, rest, made: lines?.bytes.toString().split('\n').slice(0, -1) };
}

it('makes one line per record from any answer, and keeps its other fields', () => {
  fc.assert(
    fc.property(fc.array(anyAnswer, { minLength: 1, maxLength: 3 }), (texts) => {
      const rows = new AnswerRows(things);
      for (const text of texts) {
        const { things: records, ...rest } = parseJson(text) as { things: { id: string }[] };
        const { lines, rest: otherFields, made } = read(text, things, rows);
        expect({ ...otherFields }).toEqual(rest);
        expect(lines!.count).toBe(records.length);
        expect(made!.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(
          records.map(({ id }) => id),
        );
        expect(lines!.longest).toBe(Math.max(0, ...made!.map((line) => Buffer.byteLength(line) + 1)));
      }
    }),
    { numRuns: 300 },
  );
});

it('says of each answer whether it holds a row that is looked for, by its id and no other value', () => {
  fc.assert(
    fc.property(anyAnswer, anyAnswer, fc.nat(), (text, other, place) => {
      const idsOf = (answer: string) =>
        (parseJson(answer) as { things: { id: string }[] }).things.map(({ id }) => id);
      const ids = idsOf(text);
      const id = ids[place % Math.max(1, ids.length)] ?? 'none';
      const rows = new AnswerRows(things, {}, ['another', id]);
      for (const answer of [text, other]) {
        expect(read(answer, things, rows).lines!.found).toBe(idsOf(answer).includes(id));
      }
    }),
    { numRuns: 300 },
  );
  const named = '{"things":[{"id":"a","name":"b","owner":{"id":"b"}}]}';
  expect(read(named, things, new AnswerRows(things, {}, ['b'])).lines!.found).toBe(false);
});

it('refuses what JSON.parse refuses, and nothing else', () => {
  const anyDamage = fc.tuple(
    anyAnswer,
    fc.nat(),
    fc.constantFrom('', '"', '{', ']', ',', '\\', '0', '-', '\u0001', 'e', '.'),
  );
  fc.assert(
    fc.property(anyDamage, ([text, place, instead]) => {
      const at = place % text.length;
      const damaged = text.slice(0, at) + instead + text.slice(at + 1);
      const failure = (work: () => unknown): unknown => {
        try {
          work();
          return undefined;
        } catch (error) {
          return error instanceof RecordShapeError ? undefined : (error as Error).constructor;
        }
      };
      expect(failure(() => read(damaged))).toBe(failure(() => JSON.parse(damaged)));
    }),
    { numRuns: 1_000 },
  );
});

describe('a value that is nested too deeply', () => {
  const table = thingsWith({ name: { type: 'text', description: 'Its name.' } });
  const deep = `${'[{"a b":'.repeat(100_000)}[1.0,"]}",12345678901234567890]${'}]'.repeat(100_000)}`;

  it.each([
    ['a nested column', 'tags', (row: Cells) => row['tags']],
    ['a field nobody declared', 'extra', (row: Cells) => (row['__unknown'] as Cells)['extra']],
    ['a column of another type', 'name', (row: Cells) => (row['__raw'] as Cells)['name']],
  ])('is kept as it came in %s, and does not affect other records', (_, field, cellOf) => {
    const { made } = read(`{"things":[{"id":"a","rank":7},{"id":"b","${field}":${deep}},{"id":"c"}]}`, table);
    const rows = made!.map((line) => JSON.parse(line) as Cells);
    expect(rows.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(rows[0]).toMatchObject({ rank: 7 });
    // Compared by themselves: a message would hold megabytes.
    expect(cellOf(rows[1]!) === deep).toBe(true);
  });

  it('keeps the columns that are made from its less deep parts', () => {
    const owner = `{"id": "u","more":${deep}}`;
    const [line] = read(`{"things":[{"id":"a","owner":${owner}}]}`, table).made!;
    const row = JSON.parse(line!) as Cells;
    expect(row['owner_id']).toBe('u');
    expect(row['owner'] === owner.replace(': ', ':')).toBe(true);
  });

  it('that is cut off is not JSON', () => {
    expect(() => read(`{"things":[{"id":"a","tags":${deep.slice(0, -3)}`)).toThrow(SyntaxError);
    expect(() =>
      read(`{"things":[{"id":"a","rank":12345678901234567890,"tags":${'['.repeat(100_000)}`),
    ).toThrow(SyntaxError);
  });
});

describe('an answer without an array of records', () => {
  it.each(['{}', '[]', 'null', '5', '{"things":{}}', '{"things":"a"}'])('has no lines: %s', (text) => {
    expect(read(text).lines).toBeUndefined();
  });

  it.each(['[]', 'null', '\nnull'])(
    'differs from one with an empty list, which may be written as %j',
    (list) => {
      expect(read(`{"things":${list},"a":{"b":1}}`)).toMatchObject({ rest: { a: { b: 1 } }, made: [] });
    },
  );
});

it('reads bytes that are not UTF-8, and a byte order mark, as other readers do', () => {
  const bytes = Buffer.from('\u{feff}{"things":[{"id":"a","name":"?"}]}');
  bytes[bytes.indexOf('?')] = 0xff;
  expect(read(bytes).made).toEqual(['{"id":"a","name":"\u{fffd}"}']);
});

it.each(['null', '"a"', '5', '[]'])('names the position of a record that is not an object: %s', (record) => {
  expect(() => read(`{"things":[{"id":"a"},${record}]}`)).toThrow(
    expect.objectContaining({
      name: 'RecordShapeError',
      message: expect.stringMatching(/^things: record 42 /) as string,
    }),
  );
});

it('counts the position of a record without its key from the start of the batch', () => {
  expect(() => read('{"things":[{"id":"a"},{"name":"nobody"}]}')).toThrow(
    expect.objectContaining({
      name: 'RecordShapeError',
      message: expect.stringMatching(/^things: record 42 .*\bid\b/) as string,
    }),
  );
});

describe('a key of several columns', () => {
  const table: Table = {
    ...thingsWith({ kind: { type: 'text', description: 'Its kind.' } }),
    primaryKey: ['kind', 'owner_id', 'rank'],
  };
  const complete = '{"kind":"a","owner":{"id":"u"},"rank":1}';

  it('needs no column called id', () => {
    expect(read(`{"things":[${complete}]}`, table).made).toHaveLength(1);
  });

  it.each([
    ['kind', '{"owner":{"id":"u"},"rank":1}'],
    ['kind', '{"kind":null,"owner":{"id":"u"},"rank":1}'],
    ['kind', '{"kind":"","owner":{"id":"u"},"rank":1}'],
    ['owner_id', '{"kind":"a","owner":null,"rank":1}'],
    ['owner_id', '{"kind":"a","owner_id":"u","rank":1}'],
    ['rank', '{"kind":"a","owner":{"id":"u"},"rank":null}'],
    ['rank', '{"kind":"a","owner":{"id":"u"},"rank":"1"}'],
  ])('names the column %s that a record lacks: %s', (column, record) => {
    // The second answer is parsed whole.
    for (const space of ['', '\n']) {
      const text = `{"things":[${complete},${space}${record}]}`;
      expect(() => read(text, table)).toThrow(
        expect.objectContaining({
          name: 'RecordShapeError',
          message: expect.stringMatching(new RegExp(`^things: record 42 .*\\b${column}\\b`)) as string,
        }),
      );
    }
  });

  it('may contain the pass, which no record has', () => {
    const base = thingsWith({ mode: { type: 'text', description: 'The pass.', required: true } });
    const passes = { param: 'mode', values: ['live'], column: 'mode' };
    const rows = new AnswerRows({ ...base, passes, primaryKey: ['id', 'mode'] });
    const { lines } = rows.read(Buffer.from('{"things":[{"id":"a"}]}'), 'live', 0);
    expect(lines!.bytes.toString()).toBe('{"id":"a","mode":"live"}\n');
  });
});

it('counts the rows that lack a required field or have null in it, however they are read', () => {
  const required = { type: 'text', description: 'Needed.', required: true } as const;
  const table = { ...thingsWith({ a: required, b: required }), primaryKey: ['id', 'rank'] as const };
  const rows = new AnswerRows(table);
  const answers = [
    '[{"id":"1","rank":1,"a":"x","b":"x"},{"id":"2","rank":2,"a":null,"b":"x"},{"id":"3","rank":3,"b":5}]',
    '[{"id":"4","rank":4,"a":"","b":"x"},{"id":"5","rank":12345678901234567}]',
    // The whole answer is parsed, though its first record needs no parser.
    `[{"id":"6","rank":6},{"id":"7","rank":7,"a":"x","b":"x","tags":${'['.repeat(300) + ']'.repeat(300)}}]`,
  ];
  for (const records of answers) rows.read(Buffer.from(`{"things":${records}}`), undefined, 0);
  expect(rows.missing).toEqual({
    a: { rows: 4, first: '2, 2' },
    b: { rows: 2, first: '5, 12345678901234567' },
  });
});
