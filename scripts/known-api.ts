/**
 * Writes known-api.json from the vendor's OpenAPI document: `node dist/scripts/known-api.js openapi.json`. Run it when
 * the declarations are up to date with that document; `incident-io-source drift` then reports what came after it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { type ApiDocument, answerOf, parseDocument, type Schema } from '../src/drift/document.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: known-api.js <OpenAPI document>');
const document = parseDocument(await readFile(file, 'utf8'), file);

/** The answers of GET requests, and the schemas that these answers consist of. */
const lists = Object.entries(document.paths).filter(([, { get }]) => get && answerOf(document, get));
const schemas: { [name: string]: Schema } = {};
function keep(value: unknown): void {
  for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (name in schemas) continue;
    schemas[name] = document.components.schemas[name]!;
    keep(schemas[name]);
  }
}
keep(lists);

const { openapi } = document;
const known: ApiDocument = {
  openapi,
  paths: Object.fromEntries(lists),
  components: { schemas: sorted(schemas) },
};
await writeFile('known-api.json', `${linesOf(known)}\n`);

function sorted<T>(entries: { readonly [name: string]: T }): { [name: string]: T } {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One path and one schema per line, so that a new document is a diff that can be read. */
function linesOf({ openapi, paths, components }: ApiDocument): string {
  const entries = (of: object) =>
    Object.entries(of)
      .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n');
  return `{"openapi": ${JSON.stringify(openapi)},\n"paths": {\n${entries(paths)}\n},\n"components": {"schemas": {\n${entries(components.schemas)}\n}}}`;
}
