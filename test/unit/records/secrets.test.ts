import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { rowMaker } from '../../../src/records/rows.ts';
import type { Table } from '../../../src/tables/table.ts';
import { thingsWith } from '../../helpers/things.ts';

const text = { type: 'text', description: 'A text.' } as const;
const json = { type: 'json', description: 'A nested value.' } as const;
const planted = 'PLANTED-VALUE';

type Row = { readonly [column: string]: unknown };

/** Reads one record in both ways: the second answer ends with something that only a complete parser accepts. */
function readBothWays(table: Table, record: string, land: readonly string[] = []) {
  return [`{"things":[${record}]}`, `\u{feff}{"things":[${record}]}`].map((answer) => {
    const rows = new AnswerRows(table, { land });
    const line = rows.read(Buffer.from(answer), undefined, 0).lines!.bytes.toString();
    return { line, row: JSON.parse(line) as Row, withheld: rows.withheld };
  });
}

describe('a declared secret', () => {
  const table: Table = {
    ...thingsWith({ images: json, links: json, token_hint: text }),
    secrets: [
      'hook',
      'images[].url',
      'links.by_name[][].address',
      'links.codes[]',
      'options.key',
      'owner.pin',
    ],
  };

  it.each([
    ['a field', `"hook":"${planted}"`, {}],
    ['a field that is not text', `"hook":{"a":["${planted}"]}`, {}],
    [
      'a field in a list',
      `"images":[{"id":"1","url":"${planted}"},{"id":"2"}]`,
      { images: [{ id: '1' }, { id: '2' }] },
    ],
    [
      'a field in a list of lists',
      `"links":{"by_name":[[{"address":"${planted}"},5],[]]}`,
      { links: { by_name: [[{}, 5], []] } },
    ],
    ['the items of a list', `"links":{"codes":["${planted}"],"n":1}`, { links: { codes: [], n: 1 } }],
    [
      'a field inside one that nobody declared',
      `"options":{"key":"${planted}","a":1}`,
      { __unknown: { options: '{"a":1}' } },
    ],
    [
      'a field beside one that a column is made from',
      `"owner":{"id":"u","pin":"${planted}"}`,
      { owner: { id: 'u' }, owner_id: 'u' },
    ],
  ])('never lands, and is not reported: %s', (_, field, expected) => {
    for (const { row, line, withheld } of readBothWays(table, `{"id":"a",${field},"name":"x"}`)) {
      expect(row).toEqual({ id: 'a', name: 'x', ...expected });
      expect(line).not.toContain(planted);
      expect(withheld).toEqual([]);
    }
  });

  it('does not affect a declared column, whatever its name', () => {
    for (const { row } of readBothWays(table, '{"id":"a","token_hint":"x"}')) {
      expect(row).toEqual({ id: 'a', token_hint: 'x' });
    }
  });
});

describe('an undeclared field whose name says that it is a secret', () => {
  const table = thingsWith({});
  const deep = (value: string) => '['.repeat(300) + value + ']'.repeat(300);

  it.each([
    ['signing_key', `"signing_key":"${planted}"`],
    ['credentials', `"credentials":{"user":"${planted}"}`],
    ['owner.api_token', `"owner":{"id":"u","api_token":"${planted}"}`],
    ['tags[].secrets', `"tags":[{"secrets":["${planted}"]}]`],
    ['extra.list[].password', `"extra":{"list":[{"password":"${planted}"}]}`],
    ['tags', `"tags":${deep(`{"token":"${planted}"}`)}`],
    ['owner.tok\\u0065n', `"owner":{"tok\\u0065n":"${planted}"}`],
  ])('is reported as %s, and does not land', (path, field) => {
    for (const { row, line, withheld } of readBothWays(table, `{"id":"a",${field}}`)) {
      expect(row['id']).toBe('a');
      expect(line).not.toContain(planted);
      expect(withheld.map((field) => field.split('[][]')[0])).toEqual([JSON.parse(`"${path}"`)]);
    }
  });

  it('lands if the settings say that it is harmless', () => {
    const record = `{"id":"a","owner":{"id":"u","api_token":"x"},"signing_key":"y","token":"${planted}"}`;
    for (const { row, withheld } of readBothWays(table, record, ['owner.api_token', 'signing_key'])) {
      expect(row).toMatchObject({ owner: { api_token: 'x' }, __unknown: { signing_key: 'y' } });
      expect(withheld).toEqual(['token']);
    }
  });

  it('lands in a column that is declared for it', () => {
    const declared = thingsWith({ key_of_owner: { ...text, from: ['owner', 'api_key'] } });
    for (const { row, withheld } of readBothWays(declared, '{"id":"a","owner":{"api_key":"x"}}')) {
      expect(row).toEqual({ id: 'a', owner: { api_key: 'x' }, key_of_owner: 'x' });
      expect(withheld).toEqual([]);
    }
  });

  it('is only named up to a limit: the names may be data', () => {
    const rows = new AnswerRows(table);
    const fields = Array.from({ length: 1_000 }, (_, index) => `"token_${index}_token":"${planted}"`);
    const { lines } = rows.read(Buffer.from(`{"things":[{"id":"a",${fields.join(',')}}]}`), undefined, 0);
    expect(lines!.bytes.toString()).toBe('{"id":"a"}\n');
    expect(rows.withheld).toHaveLength(50);
  });
});

it('both ways leave out the same fields, wherever a secret is', () => {
  const table: Table = { ...thingsWith({}), secrets: ['owner.id.pin', 'tags[].pin', 'pin'] };
  const name = fc.constantFrom(
    'id',
    'name',
    'pin',
    'token',
    'tags',
    'owner',
    'api_key',
    'total_tokens',
    'private_key',
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(planted, '', 5, true, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const anyRecord = fc
    .dictionary(name, value, { maxKeys: 6 })
    .map((fields) => ({ ...fields, id: 'a', name: 'b' }));
  fc.assert(
    fc.property(anyRecord, (record) => {
      const [fast, parsed] = readBothWays(table, JSON.stringify(record));
      expect(fast!.withheld).toEqual(parsed!.withheld);
      const withoutNulls = (row: Row) =>
        Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== null));
      expect(withoutNulls(fast!.row)).toEqual(withoutNulls(parsed!.row));
      // A value that was left out cannot be found again.
      const found = new Set<string>();
      rowMaker(table, { withheld: found })(JSON.parse(JSON.stringify(fast!.row)), undefined, () => '');
      expect([...found].filter((path) => !path.startsWith('__unknown'))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
