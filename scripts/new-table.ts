/**
 * Writes the skeleton of a declaration and its part of the reference, from the vendor's OpenAPI document:
 * `node dist/scripts/new-table.js openapi.json /v3/teams teams`. What the document cannot tell is left empty: the
 * descriptions, which hidden rows there are and by which parameter they come, whether a filter keeps its promise.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { typeOf } from '../src/drift/compare.ts';
import {
  type ApiDocument,
  answerOf,
  type Operation,
  parseDocument,
  recordsOf,
  resolved,
  type Schema,
  schemaAt,
} from '../src/drift/document.ts';
import { tables } from '../src/tables/index.ts';

const [file, path, name] = process.argv.slice(2);
if (file === undefined || path === undefined || name === undefined) {
  throw new Error('usage: new-table.js <OpenAPI document> <path> <name of the table>');
}
if (tables.some((table) => table.name === name)) throw new Error(`There is a table ${name} already.`);
const document = parseDocument(await readFile(file, 'utf8'), file);
const operation = document.paths[path]?.get;
const answer = operation && answerOf(document, operation);
const records = answer && recordsOf(document, answer);
if (records === undefined) throw new Error(`GET ${path} of ${file} does not answer one list of objects.`);
const item = schemaAt(document, answer!, [records])!;

const kebab = name.replaceAll('_', '-');
const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
await writeFile(`src/tables/${kebab}.ts`, declaration(operation!), { flag: 'wx' });
await writeFile(`test/fixtures/api-reference/${name}.json`, reference(operation!), { flag: 'wx' });
process.stdout.write(`Add to src/tables/declared.ts: export { ${camel} } from './${kebab}.ts';\n`);

function declaration({ 'x-rbac-scopes': [scope] = [], parameters = [] }: Operation): string {
  const most = parameters.find((parameter) => parameter.name === 'page_size')?.schema?.maximum;
  const columns = Object.keys(item.properties ?? {}).map((column) => {
    const required = item.required?.includes(column) ? ' required: true,' : '';
    return `    ${column}: { type: '${typeOf(document, item, [column])}',${required} description: '' },`;
  });
  return `import { defineTable } from './table.ts';

export const ${camel} = defineTable({
  name: '${name}',
  description: '',
  group: 'Configuration',
  path: '${path}',
  records: '${records}',
${scope === undefined ? '' : `  scope: '${scope}',\n`}  paging: ${most === undefined ? "{ kind: 'single' }" : `{ kind: 'pages', pageSize: ${most} }`},
  primaryKey: ['id'],
  columns: {
${columns.join('\n')}
  },
});
`;
}

function reference({
  deprecated = false,
  'x-rbac-scopes': [scope] = [],
  parameters = [],
}: Operation): string {
  const parameter = (of: string) => parameters.find((parameter) => parameter.name === of)?.schema;
  const meta = answer && schemaAt(document, answer, ['pagination_meta']);
  const facts = {
    path,
    deprecated,
    responseKey: records,
    scope: scope ?? null,
    pageSizeMax: parameter('page_size')?.maximum ?? null,
    counted: meta?.properties?.['total_record_count'] !== undefined,
    sortBy: parameter('sort_by')?.enum ?? [],
    hidesUnless: {},
    timestampFilters: {},
  };
  const fields = Object.entries(item.properties ?? {}).map(
    ([field, schema]) => `    ${JSON.stringify(field)}: ${JSON.stringify(fieldOf(field, schema))}`,
  );
  const head = JSON.stringify(facts, undefined, 2).replace(/\n}$/, ',\n  "columns": {\n');
  return `${head}${fields.join(',\n')}\n  }\n}\n`;
}

function fieldOf(field: string, schema: Schema) {
  const { type = 'object', format, enum: values } = resolved(document, schema);
  const paths = pathsBelow(document, resolved(document, schema));
  return {
    type,
    ...(item.required?.includes(field) && { required: true }),
    ...(format !== undefined && { format }),
    ...(values !== undefined && { enum: values }),
    ...(paths.length > 0 && { paths }),
    source: basename(file!, '.json'),
  };
}

/** The single values inside a nested object, three levels deep. */
function pathsBelow(document: ApiDocument, schema: Schema, levels = 3): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const inner = resolved(document, property);
    if (inner.properties === undefined) return inner.type === 'array' ? [] : [name];
    return levels === 1 ? [] : pathsBelow(document, inner, levels - 1).map((path) => `${name}.${path}`);
  });
}
