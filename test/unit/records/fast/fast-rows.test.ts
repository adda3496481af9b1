import fc from 'fast-check';
import { parse } from 'lossless-json';
import { expect, it } from 'vitest';

import { RecordShapeError } from '../../../../src/errors.ts';
import { CollectedRows } from '../../../../src/records/collected-rows.ts';
import { FastRows } from '../../../../src/records/fast/fast-rows.ts';
import { parseJson } from '../../../../src/records/json.ts';
import { rowMaker } from '../../../../src/records/rows.ts';
import { incidents } from '../../../../src/tables/incidents.ts';
import type { Table } from '../../../../src/tables/table.ts';
import { anyAnswer } from '../../../helpers/any-answer.ts';
import { incidentPage, rowsPerPage } from '../../../helpers/incident-pages.ts';
import { things, thingsWith } from '../../../helpers/things.ts';

type Cells = { [column: string]: unknown };

/** The rows that the fast way makes from answers, one after the other. */
class Reading {
  readonly rows: CollectedRows;
  readonly #fast: FastRows;

  constructor(table: Table) {
    this.rows = new CollectedRows(table);
    this.#fast = new FastRows(table, this.rows);
  }

  read(text: string | Buffer, pass?: string) {
    return this.#fast.read(Buffer.from(text), pass, 40);
  }

  get lines(): string[] {
    return this.rows.lines.bytes.toString().split('\n').slice(0, -1);
  }
}

/** JSON with numbers as they are written: DuckDB keeps 1.0 and 1 apart. */
function parseLiterally(text: string): unknown {
  return parse(text, undefined, {
    parseNumber: (literal) => ({ literal }),
    onDuplicateKey: ({ newValue }) => newValue,
  });
}

/** How DuckDB reads a line: null is nothing, and a nested value is JSON whether it is nested or text. */
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

it('makes the rows that parsing would make, from any answers one after another', () => {
  let judged = 0;
  fc.assert(
    fc.property(fc.array(anyAnswer, { minLength: 1, maxLength: 3 }), (texts) => {
      const reading = new Reading(nested);
      const makeRow = rowMaker(nested);
      for (const text of texts) {
        const { things: records, ...rest } = parseJson(text) as { things: object[] };
        const read = reading.read(text);
        // Line breaks and the like are left to a parser.
        if (!read) continue;
        judged += 1;
        expect(read.count).toBe(records.length);
        expect({ ...read.rest }).toEqual(rest);
        const made = records.map((record) => makeRow(record, undefined, () => ''));
        expect(reading.lines.map((line) => cellsIn(line, nested))).toEqual(
          made.map((line) => cellsIn(line, nested)),
        );
      }
    }),
    { numRuns: 1_000 },
  );
  expect(judged).toBeGreaterThan(500);
});

it('accepts nothing that JSON.parse refuses', () => {
  const damaged = fc
    .tuple(anyAnswer, fc.nat(), fc.constantFrom('', '"', '{', ']', ',', '\\', '0', '-', '\u0001', 'e', '.'))
    .map(([text, place, instead]) => {
      const at = place % text.length;
      return text.slice(0, at) + instead + text.slice(at + 1);
    });
  fc.assert(
    fc.property(damaged, (text) => {
      let isAccepted: boolean;
      try {
        isAccepted = new Reading(things).read(text) !== undefined;
      } catch (error) {
        // The record was cut out whole and parsed.
        isAccepted = error instanceof RecordShapeError;
      }
      const isJson = (): boolean => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      };
      expect(isAccepted && !isJson()).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it('copies the bytes of records that match their declaration', () => {
  const answer = incidentPage(0);
  const reading = new Reading(incidents);
  reading.read(answer);
  const { lines } = reading;
  const records = answer.toString().split(/(?<=\}),(?=\{"id":"01H)/);
  expect(records).toHaveLength(rowsPerPage);
  // JSON.parse would have left out nulls.
  expect(lines.filter((line) => !line.includes('null') && !line.includes('https://meet'))).toEqual([]);
  expect(
    lines.filter((line, index) => !line.startsWith(records[index]!.slice(index === 0 ? 14 : 0, 1_500))),
  ).toEqual([]);
});

it('adds nested values, the pass, and undeclared fields', () => {
  const base = thingsWith({ mode: { type: 'text', description: 'The pass.' } });
  const table = { ...base, passes: { param: 'mode', values: ['live'], column: 'mode' } };
  const reading = new Reading(table);
  reading.read(
    `{"things":[{"more":[1, 2],"id":"a","none":null,"mode":"odd","name":"x","owner":{"id":"u"},"text":"\\n"}]}`,
    'live',
  );
  expect(reading.lines).toEqual([
    `{"id":"a","name":"x","owner":{"id":"u"},"owner_id":"u","mode":"live","__unknown":{"more":"[1,2]","mode":"odd","text":"\\n"}}`,
  ]);
});

it.each([
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['values nested more deeply than its stack allows', `{"things":[{"id":"a","tags":${'['.repeat(300)}`],
  ['a list that is not of objects', '{"things":[1]}'],
  ['two lists of records', '{"things":[],"things":[]}'],
])('leaves to a parser: %s', (_, text) => {
  expect(new Reading(things).read(text)).toBeUndefined();
});
