import fc from 'fast-check';
import { parse } from 'lossless-json';
import { describe, expect, it } from 'vitest';

import { IncidentPages, rowsPerPage } from '../../helpers/incident-pages.ts';
import { RecordShapeError } from '../../../src/errors.ts';
import { parseJson } from '../../../src/records/json.ts';
import { incidents } from '../../../src/tables/incidents.ts';
import { type ColumnType, type Table } from '../../../src/tables/table.ts';
import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { rowMaker } from '../../../src/records/rows.ts';
import { isUtcTime, utcTime } from '../../../src/records/timestamps.ts';
import { things, thingsWith } from '../../helpers/warehouse.ts';

type Cells = { [column: string]: unknown };

function linesOf(rows: AnswerRows): string[] {
  return rows.lines.filled.toString().split('\n').slice(0, -1);
}

function read(text: string | Buffer, table: Table = things, pass?: string) {
  const rows = new AnswerRows(table);
  const taken = rows.read(Buffer.from(text), pass, 40);
  return { ...taken, rows, lines: linesOf(rows) };
}

/** JSON with numbers as they are written: DuckDB keeps 1.0 and 1 apart. */
function parseLiterally(text: string): unknown {
  return parse(text, undefined, {
    parseNumber: (literal) => ({ literal }),
    onDuplicateKey: ({ newValue }) => newValue,
  });
}

/** What DuckDB reads in a line: null is nothing, and nested values are JSON whether they come as such or as text. */
function cellsIn(line: string, table: Table): Cells {
  const cells = Object.entries(parseLiterally(line) as Cells).filter(([, value]) => value !== null);
  return Object.fromEntries(
    cells.map(([name, value]) => [
      name,
      table.columns[name]?.type === 'json' && typeof value === 'string' ? parseLiterally(value) : value,
    ]),
  );
}

const nested = thingsWith({
  lead_id: { type: 'text', description: 'Who leads the owner.', from: ['owner', 'lead', 'id'] },
});

// Mostly such that the scanner takes it: a record with one odd thing is read in the other way as a whole.
const space = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom('', '', ' ', '\t ') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n  ') },
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc
    .array(
      fc.constantFrom('a', '\\u0041', '\\ud83d\\ude92', '\\uD83D', '\\/', '\\"', '\\n', 'ä', '🚒', '\\u0000'),
    )
    .map((parts) => `"${parts.join('')}"`),
);
const anyNumber = fc.constantFrom(
  '0',
  '-0',
  '7',
  '-7',
  '1.5',
  '1.0',
  '-0.5',
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '1e3',
  '1E-7',
  '0.000001',
  '0.1234567890123',
  '9223372036854775807',
  '1e400',
);
const anyTime = fc.constantFrom(
  '2024-05-06T07:08:09Z',
  '2024-12-30T00:00:00.5Z',
  '0999-01-01T00:00:00.000Z',
  '2024-02-29T23:59:59.123456Z',
  '2023-02-29T00:00:00Z',
  '2024-01-31T00:00:00Z',
  '2024-04-31T00:00:00Z',
  '2024-01-01T00:00:00.123456789Z',
  '2024-01-01T00:00:00+02:00',
  'soon',
);
const anyName = fc.oneof(
  fc.constantFrom(...Object.keys(things.columns).filter((name) => name !== 'id')),
  fc.constantFrom('extra', 'Name', '__raw', '__unknown', '__proto__', '_synced_at', 'a b', '', 'ünïcode'),
);
const { value: anyValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    anyText,
    anyNumber,
    anyTime.map((time) => JSON.stringify(time)),
    fc
      .array(tie('value'), { maxLength: 3 })
      .chain((values) => space.map((gap) => `[${gap}${values.join(`,${gap}`)}]`)),
    fieldsOf(fc.oneof(fc.constantFrom('"id"', '"\\u0069d"', '"a"'), anyText), tie('value'), 3),
  ),
}));
/** Values a column of the type takes, nearly always: one that it does not take decides how its record is read. */
const fitting: { readonly [type in ColumnType]: fc.Arbitrary<string> } = {
  text: anyText,
  timestamp: anyTime.map((time) => JSON.stringify(time)),
  boolean: fc.constantFrom('true', 'false', 'null'),
  double: anyNumber,
  bigint: anyNumber,
  json: anyValue,
};
/** An owner whose fields may stand twice. */
const anyOwner = fieldsOf(
  fc.constantFrom('"id"', '"lead"'),
  fc.oneof(anyText, fieldsOf(fc.constant('"id"'), anyText, 2)),
  3,
).map((owner) => `"owner":${owner}`);
const anyField = fc.oneof(
  { weight: 4, arbitrary: anyOwner },
  {
    weight: 15,
    arbitrary: fc
      .constantFrom(
        ...Object.entries(things.columns).filter(([name]) => name !== 'id' && name !== 'owner_id'),
      )
      .chain(([name, { type }]) => fitting[type].map((value) => `"${name}":${value}`)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anyName, space, anyValue)
      .map(([name, gap, value]) => `${JSON.stringify(name)}${gap}:${value}`),
  },
);
const anyRecord = fc
  .tuple(fc.constantFrom('"id":"a"', '"id" : "b"', '"id":"\\u0041"'), fc.array(anyField, { maxLength: 4 }))
  .map((parts) => `{${parts.flat().join(',')}}`);
const anyAnswer = fc
  .tuple(fc.array(anyRecord, { maxLength: 4 }), space, space, anyValue)
  .map(
    ([records, one, two, meta]) =>
      `${one}{"first":${meta},${two}"things":${two}[${records.join(`${one},${two}`)}${one}]${two},"last":1}${one}`,
  );

/** The text of an object; names may stand twice. */
function fieldsOf(
  name: fc.Arbitrary<string>,
  value: fc.Arbitrary<string>,
  maxLength: number,
): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(name, space, space, value), { maxLength })
    .map(
      (fields) => `{${fields.map(([key, one, two, json]) => `${key}${one}:${two}${json}${one}`).join(',')}}`,
    );
}

it('makes of any answers, one after another, the rows that parsing them whole would make', () => {
  fc.assert(
    fc.property(fc.array(anyAnswer, { minLength: 1, maxLength: 3 }), (texts) => {
      const rows = new AnswerRows(nested);
      const makeRow = rowMaker(nested);
      for (const text of texts) {
        const { things: records, ...rest } = parseJson(text) as { things: object[] };
        const taken = rows.read(Buffer.from(text), undefined, 40);
        expect(taken.records).toBe(records.length);
        expect({ ...taken.rest }).toEqual(rest);
        const made = records.map((record) => makeRow(record, undefined, () => ''));
        expect(linesOf(rows).map((line) => cellsIn(line, nested))).toEqual(
          made.map((line) => cellsIn(line, nested)),
        );
      }
    }),
    { numRuns: 1_000 },
  );
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

it('hands on the bytes of records as they are, where they are as declared', () => {
  const answer = new IncidentPages(1).answer(0);
  const { lines } = read(answer, incidents);
  const records = answer.toString().split(/(?<=\}),(?=\{"id":"01H)/);
  expect(records).toHaveLength(rowsPerPage);
  // JSON.parse would have left out nulls.
  expect(lines.filter((line) => !line.includes('null') && !line.includes('https://meet'))).toEqual([]);
  expect(
    lines.filter((line, index) => !line.startsWith(records[index]!.slice(index === 0 ? 14 : 0, 1_500))),
  ).toEqual([]);
});

it('adds what columns take from below, the pass, and fields nobody declared', () => {
  const base = thingsWith({ mode: { type: 'text', description: 'The pass.' } });
  const table = { ...base, passes: { param: 'mode', values: ['live'], column: 'mode' } };
  const record = `{"more":[1, 2],"id":"a","none":null,"mode":"odd","name":"x","owner":{"id":"u"},"text":"\\n"}`;
  const { lines } = read(`{"things":[${record}]}`, table, 'live');
  expect(lines).toEqual([
    `{"id":"a","name":"x","owner":{"id":"u"},"owner_id":"u","mode":"live","__unknown":{"more":"[1,2]","mode":"odd","text":"\\n"}}`,
  ]);
});

it('takes values that lie deep', () => {
  const deep = '['.repeat(2_000) + ']'.repeat(2_000);
  const [line] = read(`{"things":[{"id":"a","tags":${deep}}]}`).lines;
  expect(line).toContain(deep);
});

describe('an answer without an array of records', () => {
  it.each([
    '{}',
    '[]',
    'null',
    '5',
    '{"things":{}}',
    '{"things":[1]}',
    '{"things":[null]}',
    '{"things":null,"a":1}',
  ])('has none: %s', (text) => {
    expect(read(text)).toMatchObject({ records: undefined, lines: [] });
  });

  it('is not one whose array is empty', () => {
    expect(read('{"things":[],"a":{"b":1}}')).toMatchObject({ records: 0, rest: { a: { b: 1 } }, lines: [] });
  });
});

it('takes bytes that are no UTF-8, and a byte order mark, as other readers do', () => {
  const bytes = Buffer.from('\u{feff}{"things":[{"id":"a","name":"?"}]}');
  bytes[bytes.indexOf('?')] = 0xff;
  expect(read(bytes).lines).toEqual(['{"id":"a","name":"\u{fffd}"}']);
});

it('names the place of a record without a key behind the rows that came earlier', () => {
  const rows = new AnswerRows(things);
  const answer = Buffer.from('{"things":[{"id":"a"},{"name":"nobody"}]}');
  expect(() => rows.read(answer, undefined, 40)).toThrow('things: record 42 of the batch has no id.');
});

it('counts the rows that lack a required field, null being none, whatever way they are read', () => {
  const required = { type: 'text', description: 'Needed.', required: true } as const;
  const table = thingsWith({ a: required, b: required });
  const rows = new AnswerRows(table);
  const answers = [
    '[{"id":"1","a":"x","b":"x"},{"id":"2","a":null,"b":"x"},{"id":"3","b":5}]',
    '[{"id":"4","a":"","b":"x"},{"id":"5","rank":12345678901234567890}]',
    // The whole answer is read in the other way, after its first record.
    `[{"id":"6"},{"id":"7","a":"x","b":"x","tags":${'['.repeat(300) + ']'.repeat(300)}}]`,
  ];
  for (const records of answers) rows.read(Buffer.from(`{"things":${records}}`), undefined, 0);
  expect(Object.fromEntries(rows.missing)).toEqual({
    a: { rows: 4, first: '2' },
    b: { rows: 2, first: '5' },
  });
});

it('knows the times that need no rewriting', () => {
  const digits = (length: number) =>
    fc.nat(10 ** length - 1).map((number) => String(number).padStart(length, '0'));
  const anyPlain = fc
    .tuple(
      digits(4),
      digits(2),
      digits(2),
      digits(2),
      digits(2),
      digits(2),
      fc.nat(8),
      fc.constantFrom('Z', 'z', '+00:00'),
    )
    .map(
      ([year, month, day, hour, minute, second, fraction, zone]) =>
        `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction > 0 ? `.${'123456789'.slice(0, fraction)}` : ''}${zone}`,
    );
  const near = fc
    .tuple(
      fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.nat(30),
      fc.constantFrom('', ' ', 'x', '3', ':'),
    )
    .map(([date, at, instead]) => {
      const text = date.toISOString();
      return text.slice(0, at) + instead + text.slice(at + instead.length);
    });
  const edges = fc.constantFrom(
    '2024-02-29T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-06-31T00:00:00Z',
    '2024-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T24:00:00Z',
  );
  fc.assert(
    fc.property(fc.oneof(anyPlain, near, edges), (text) => {
      const bytes = Buffer.from(`"${text}"`);
      expect(isUtcTime(bytes, 1, bytes.length - 1)).toBe(utcTime(text) === text);
    }),
    { numRuns: 3_000 },
  );
});
