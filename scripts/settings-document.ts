/**
 * Writes incident-io.schema.json, which editors use to check settings files.
 * With `--check` it writes nothing, and exits with 1 if the file is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { settingsJsonSchema } from '../src/settings/schema.ts';

const file = 'incident-io.schema.json';
const text = `${JSON.stringify(settingsJsonSchema(), undefined, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8')) !== text) {
  process.stderr.write(`${file} differs from src/settings/schema.ts: run npm run docs.\n`);
  process.exitCode = 1;
}
