/**
 * Writes the chapter "Tables and columns" of ./README.md.
 * With `--check` it writes nothing and exits with 1 if the chapter is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';

import { documentTables, replaceChapter } from './document-tables.ts';
import { tables } from '../src/tables/index.ts';

const readme = await readFile('README.md', 'utf8');
const current = replaceChapter(readme, documentTables(tables));

if (!process.argv.includes('--check')) {
  await writeFile('README.md', current);
} else if (current !== readme) {
  process.stderr.write('The tables in README.md differ from src/tables: run npm run docs.\n');
  process.exitCode = 1;
}
