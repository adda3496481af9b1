/**
 * Writes docs/tables.md from the declarations in src/tables.
 * With `--check` it writes nothing, and exits with 1 if the file is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { tables } from '../src/tables/index.ts';
import { nestedTables } from '../src/tables/nested/index.ts';
import { tablesMarkdown } from './tables-markdown.ts';

const file = 'docs/tables.md';
const text = tablesMarkdown(tables, nestedTables);

if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8')) !== text) {
  process.stderr.write(`${file} differs from src/tables: run npm run docs.\n`);
  process.exitCode = 1;
}
