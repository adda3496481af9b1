import { Writable } from 'node:stream';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it, onTestFinished } from 'vitest';
import { type Format, printRows } from '../../../../src/warehouse/read/formats.ts';

async function printed(sql: string, format: Format): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  let text = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  await printRows(output, await connection.stream(sql), format);
  return text;
}

const odd = String.raw`SELECT NULL AS none, '' AS empty, E'a\tb\nc\\d' AS odd, 'say "x", y' AS quoted, '\N' AS literal`;

it('tells null, the empty text and odd characters apart in every format', async () => {
  expect(await printed(odd, 'tsv')).toBe(
    'none\tempty\todd\tquoted\tliteral\n' + String.raw`\N		a\tb\nc\\d	say "x", y	\\N` + '\n',
  );
  expect(await printed(odd, 'csv')).toBe(
    'none,empty,odd,quoted,literal\n,"","a\tb\nc\\d","say ""x"", y",\\N\n',
  );
  expect(JSON.parse(await printed(odd, 'json'))).toEqual([
    { none: null, empty: '', odd: 'a\tb\nc\\d', quoted: 'say "x", y', literal: '\\N' },
  ]);
});

it('prints the names of columns even without rows, and all rows', async () => {
  expect(await printed('SELECT 1 AS n WHERE false', 'tsv')).toBe('n\n');
  expect(await printed('SELECT 1 AS n WHERE false', 'csv')).toBe('n\n');
  expect((await printed('SELECT range AS n FROM range(5000)', 'csv')).trim().split('\n')).toHaveLength(5001);
});
