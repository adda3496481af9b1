import { defaultTableSettings } from '../src/settings/settings.ts';
import { type NestedTable, sourceColumn } from '../src/tables/nested/nested.ts';
import {
  incrementalFieldsOf,
  syncMethodsOf,
  type Column,
  type Table,
  type TableShape,
} from '../src/tables/table.ts';

/** The whole text of docs/tables.md: all tables in two lists, then a chapter with the columns of each. */
export function tablesMarkdown(tables: readonly Table[], nested: readonly NestedTable[]): string {
  const chapters = [
    '# Tables and columns',
    '<!-- Written by `npm run docs` from the declarations in src/tables. Do not edit. -->',
    'The list of tables shows defaults first: the first sync method and the first incremental field are used unless the [settings](operate.md#settings) say otherwise. “Full read” is how often an incremental table is also read as a whole by default, so that deleted rows disappear.',
    grid(
      [
        'Table',
        'Description',
        'Sync methods',
        'Incremental fields',
        'Full read',
        'Primary key',
        'Rows per request',
        'Scope of the API key',
      ],
      tables.map(summaryOf),
    ),
    'Every table also has a column `_synced_at`: when the row was last written. A field that the API sends and a table does not declare gets a column of its own, see [guarantees](guarantees.md#no-field-is-dropped).',
    'A column is marked _personal_ if it holds or may hold data about a person: names, addresses, text that people write. The opaque ids that incident.io gives to people are not marked.',
    'These tables are made from lists inside the rows of another table, and come with it: see [nested tables](operate.md#nested-tables).',
    grid(['Nested table', 'Description', 'Made from', 'Primary key'], nested.map(summaryOfNested)),
    ...[...tables, ...nested].map(chapterOf),
  ];
  return `${chapters.join('\n\n')}\n`;
}

function summaryOf(table: Table): string[] {
  const { name, description, primaryKey, paging, scope } = table;
  return [
    // A link to the chapter below.
    `[${code(name)}](#${name})`,
    description,
    codes(syncMethodsOf(table)),
    codes(incrementalFieldsOf(table)),
    fullReadOf(table),
    codes(primaryKey),
    paging.kind === 'pages' ? paging.pageSize.toLocaleString('en') : 'all',
    scope === undefined ? 'none' : code(scope),
  ];
}

/** How often an incremental table is read as a whole, or each parent of one that is read parent by parent. */
function fullReadOf(table: Table): string {
  const { fullReadEvery } = defaultTableSettings(table);
  return fullReadEvery === undefined ? '' : `every ${fullReadEvery}`;
}

function summaryOfNested(table: NestedTable): string[] {
  const { name, description, primaryKey, itemsOf } = table;
  const source = `${itemsOf.table.name}.${sourceColumn(table)}`;
  return [`[${code(name)}](#${name})`, description, code(source), codes(primaryKey)];
}

function chapterOf({ name, columns }: TableShape): string {
  const rows = Object.entries(columns).map(rowOf);
  return [
    `## ${name}`,
    `${rows.length} columns.`,
    grid(['Column', 'Type', 'Description', 'Personal'], rows),
  ].join('\n\n');
}

function rowOf([name, { type, description, personal }]: [string, Column]): string[] {
  return [code(name), code(type), description, personal ? 'personal' : ''];
}

function codes(names: readonly string[]): string {
  return names.map(code).join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A Markdown table, with each column padded to its widest cell as prettier does. */
function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const [first = '', ...others] = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [first, rule, ...others].join('\n');
}
