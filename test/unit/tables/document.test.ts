import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { tablesMarkdown } from '../../../scripts/tables-markdown.ts';
import { tables } from '../../../src/tables/index.ts';
import { nestedTables } from '../../../src/tables/nested/index.ts';
import { severities } from '../../../src/tables/severities.ts';
import type { Table } from '../../../src/tables/table.ts';

const file = new URL('../../../docs/tables.md', import.meta.url);

/** It has features that no current table has: no scope, a key of two columns, a description with a bar. */
const { scope: _, ...withoutScope } = severities;
const odd: Table = {
  ...withoutScope,
  name: 'odd',
  description: 'One row is a | b.',
  primaryKey: ['id', 'rank'],
};

it('has an up-to-date docs/tables.md: a declaration changed without npm run docs', async () => {
  expect((await readFile(file, 'utf8')) === tablesMarkdown(tables, nestedTables)).toBe(true);
});

it('writes text that prettier leaves unchanged: the file would otherwise be out of date after each format', async () => {
  const config = await resolveConfig(file);
  const text = tablesMarkdown([...tables, odd], nestedTables);
  expect((await format(text, { ...config, parser: 'markdown' })) === text).toBe(true);
});

it('gives each table its own key and scope, in cells that a bar does not split', () => {
  const row = tablesMarkdown([odd], [])
    .split('\n')
    .find((line) => line.startsWith('| [`odd`](#odd)'));
  expect(row?.split(/(?<!\\)\|/).map((cell) => cell.trim())).toEqual([
    '',
    '[`odd`](#odd)',
    'One row is a \\| b.',
    '`full_refresh`',
    '',
    '',
    '`id`, `rank`',
    'all',
    'none',
    '',
  ]);
});
