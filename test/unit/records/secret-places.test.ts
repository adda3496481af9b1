import { expect, it } from 'vitest';

import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { tables } from '../../../src/tables/index.ts';
import type { ApiRecord } from '../../../src/tables/table.ts';
import { planted, withPlantedSecrets, withValue } from '../../helpers/planted.ts';

it.each(tables.map((table) => ({ name: table.name, table })))(
  'the lines that $name stages contain no secret',
  ({ table }) => {
    const { columns, primaryKey, passes } = table;
    const key = primaryKey.reduce<ApiRecord>((record, column) => {
      const { from = [column], type } = columns[column]!;
      return withValue(record, from, type === 'bigint' ? 1 : 'key');
    }, {});
    const parents = table.parent ? Object.keys(table.parent.columns) : [];
    const given = Object.fromEntries(parents.map((column) => [column, 'parent']));
    const record = withPlantedSecrets(table, key);
    const list = table.lists ? { [table.lists.names[0]!]: [record] } : [record];
    const rows = new AnswerRows(table);
    const answer = Buffer.from(JSON.stringify({ [table.records]: list }));
    const { lines } = rows.read(answer, passes?.values[0], 0, given);
    expect(lines?.count).toBe(1);
    expect(lines!.bytes.toString()).not.toContain(planted);
    expect(rows.withheld).toContain('signing_key');
  },
);
