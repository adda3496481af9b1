import { describe, expect, it } from 'vitest';

import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { type ResolvedRules, textOfRules } from '../../../src/records/column-rules.ts';
import type { Table } from '../../../src/tables/table.ts';
import { thingsWith } from '../../helpers/things.ts';

const people = thingsWith({
  title: { type: 'text', description: 'Its title.', personal: true },
  made_by: { type: 'json', description: 'Who made it.', personal: true },
  maker_id: { type: 'text', description: 'Who made it.', from: ['made_by', 'id'] },
  maker_name: { type: 'text', description: 'Who made it.', from: ['made_by', 'name'], personal: true },
  born_at: { type: 'timestamp', description: 'When the maker was born.', personal: true },
});

const record = {
  id: 'a',
  name: 'plain',
  title: 'PLANTED title',
  made_by: { id: 'u1', name: 'PLANTED name' },
  born_at: '1999-01-01T00:00:00Z',
  owner: { id: 'o', note: 'kept' },
  tags: ['kept'],
  rank: 1,
};

/** The rows of the records, which must be the same whether they are copied or parsed. */
function rowsOf(
  table: Table,
  rules: ResolvedRules,
  records: readonly object[],
): { rows: object[]; withheld: readonly string[] } {
  const made = [(text: string) => text, (text: string) => text.replaceAll('"rank":1', '"rank":1e0')].map(
    (write) => {
      const rows = new AnswerRows(table, rules);
      const { lines } = rows.read(Buffer.from(write(JSON.stringify({ things: records }))), undefined, 0);
      const texts = lines!.bytes.toString().trim().split('\n');
      return { rows: texts.map((text) => JSON.parse(text) as object), withheld: rows.withheld };
    },
  );
  expect(made[0]).toEqual(made[1]);
  return made[0]!;
}

const key = 'a key that nobody can guess, of 32 characters';

describe('rows by the rules of a connection', () => {
  it('an excluded column has no value, but what is taken from inside it stays', () => {
    const { rows, withheld } = rowsOf(people, { exclude: ['owner', 'name', 'maker_id'] }, [record]);
    expect(rows).toEqual([
      { ...without(record, 'owner', 'name'), owner_id: 'o', maker_name: 'PLANTED name' },
    ]);
    expect(withheld).toEqual([]);
  });

  it('personal data that is left out is in no cell, and ids stay', () => {
    const { rows } = rowsOf(people, { personal: 'leave_out' }, [
      record,
      { ...record, title: 5, born_at: 'soon' },
    ]);
    const kept = { ...without(record, 'title', 'made_by', 'born_at'), owner_id: 'o', maker_id: 'u1' };
    expect(rows).toEqual([kept, kept]);
  });

  it('personal text becomes a hash that is the same for equal values and another key makes another', () => {
    const twice = [record, { ...record, title: 'PLANTED name' }, { ...record, title: 'PLANTED \ud800' }];
    const { rows } = rowsOf(people, { personal: 'hash', hashKey: key }, twice);
    const [first, second, third] = rows as { title?: string; maker_name: string; made_by?: object }[];
    expect(first!.title).toMatch(/^[0-9a-f]{32}$/);
    expect(second!.title).toBe(first!.maker_name);
    expect(third!.title).toMatch(/^[0-9a-f]{32}$/);
    expect(first).not.toHaveProperty('made_by');
    expect(JSON.stringify(rows)).not.toContain('PLANTED');
    const other = rowsOf(people, { personal: 'hash', hashKey: `${key}!` }, [record]).rows;
    expect(other[0]).not.toMatchObject({ title: first!.title });
  });

  it('an undeclared field may be personal: it is left out and named, until the settings let it land', () => {
    const surprising = { ...record, nickname: 'PLANTED', token: 'PLANTED' };
    const strict = rowsOf(people, { personal: 'leave_out' }, [surprising]);
    expect(strict.withheld).toEqual(['nickname', 'token']);
    expect(JSON.stringify(strict.rows)).not.toContain('PLANTED');
    const landed = rowsOf(people, { personal: 'leave_out', land: ['nickname', 'token'] }, [surprising]);
    expect(landed).toMatchObject({
      rows: [{ __unknown: { nickname: 'PLANTED', token: 'PLANTED' } }],
      withheld: [],
    });
  });

  it('a field that looks like a secret lands if the settings say so, and no other', () => {
    const secretive = { ...record, token: 'said to be harmless', owner: { id: 'o', password: 'PLANTED' } };
    const { rows, withheld } = rowsOf(people, { land: ['token'] }, [secretive]);
    expect(rows).toMatchObject([{ __unknown: { token: 'said to be harmless' }, owner: { id: 'o' } }]);
    expect(withheld).toEqual(['owner.password']);
    expect(JSON.stringify(rows[0]!)).not.toContain('"password"');
  });
});

it('rules in another order are the same rules, and the hash key is not in them', () => {
  const text = textOfRules({ exclude: ['b', 'a'], personal: 'hash', hashKey: key });
  expect(text).toBe(textOfRules({ personal: 'hash', exclude: ['a', 'b'], hashKey: key }));
  expect(text).not.toContain(key);
  expect(text).not.toBe(textOfRules({ exclude: ['b', 'a'], personal: 'hash', hashKey: `${key}!` }));
  expect(textOfRules({ exclude: [], land: [] })).toBe('');
});

function without(from: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));
}
