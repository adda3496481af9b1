import { readFile } from 'node:fs/promises';

import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';

import { UsageError } from '../../../src/errors.ts';
import { documentTables, replaceChapter } from '../../../scripts/document-tables.ts';
import { tables } from '../../../src/tables/index.ts';
import { severities } from '../../../src/tables/severities.ts';

const readme = new URL('../../../README.md', import.meta.url);

it('keeps the README in step with the declarations', async () => {
  const text = await readFile(readme, 'utf8');
  expect(text === replaceChapter(text, documentTables(tables)), 'stale: npm run docs').toBe(true);
});

it('writes what prettier leaves alone, or the README would be stale after each format', async () => {
  const table = { ...severities, description: 'One row is a | b.' };
  const chapter = `${documentTables([...tables, table])}\n`;
  const config = await resolveConfig(readme);
  expect((await format(chapter, { ...config, parser: 'markdown' })) === chapter).toBe(true);
  expect(chapter).toContain('One row is a \\| b.');
});

it('leaves the rest of the README as it is', () => {
  const text =
    'before\n\n<!-- tables:start -->\n\nold\n\n<!-- tables:end -->\n\nafter $& <!-- tables:end -->\n';
  const replaced = replaceChapter(text, '$& new');
  expect(replaced).toBe(text.replace('old', () => '$& new'));
  expect(replaceChapter(replaced, '$& new')).toBe(replaced);
});

it.each(['', '<!-- tables:start -->', '<!-- tables:end --> <!-- tables:start -->'])(
  'refuses a README without a place for the chapter: %j',
  (text) => {
    expect(() => replaceChapter(text, 'new')).toThrow(UsageError);
  },
);
