import { UsageError } from '../src/errors.ts';
import { type Column, incrementalFieldsOf, syncMethodsOf, type Table } from '../src/tables/table.ts';

const start = '<!-- tables:start -->';
const end = '<!-- tables:end -->';

/** The chapter "Tables and columns" as Markdown: the tables in one list, then the columns of each. */
export function documentTables(tables: readonly Table[]): string {
  return [
    listOf(
      ['Table', 'Description', 'Sync methods', 'Incremental fields', 'Rows a request', 'Scope of the key'],
      tables.map((table) => [
        code(table.name),
        table.description,
        syncMethodsOf(table).map(code).join(', '),
        incrementalFieldsOf(table).map(code).join(', '),
        table.paging.kind === 'pages' ? table.paging.pageSize.toLocaleString('en') : 'all',
        table.scope === undefined ? 'none' : code(table.scope),
      ]),
    ),
    'The first sync method and the first incremental field are the defaults. The key of every table is `id`.',
    'Every table also has `_synced_at`: when the row was last written.',
    'A column is marked personal where it holds or may hold data about a person: names, addresses, text people write. Opaque incident.io ids of people are not marked.',
    ...tables.map(sectionOf),
  ].join('\n\n');
}

/** The text of a README with its chapter replaced; a UsageError if it lacks the markers, in their order. */
export function replaceChapter(readme: string, chapter: string): string {
  const from = readme.indexOf(start);
  const to = readme.indexOf(end, from);
  if (from === -1 || to === -1) {
    throw new UsageError(
      'README.md has no place for the chapter of tables.',
      `Put a line ${start} where it begins, and a line ${end} where it ends.`,
    );
  }
  return `${readme.slice(0, from + start.length)}\n\n${chapter}\n\n${readme.slice(to)}`;
}

function sectionOf(table: Table): string {
  const columns = Object.entries(table.columns);
  return [
    `<details>\n<summary><code>${table.name}</code>: ${columns.length} columns</summary>`,
    listOf(['Column', 'Type', 'Description', 'Personal'], columns.map(rowOf)),
    '</details>',
  ].join('\n\n');
}

function rowOf([name, { type, description, personal }]: [string, Column]): string[] {
  return [code(name), code(type), description, personal ? 'personal' : ''];
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A Markdown table, each column padded to its widest cell as prettier does. */
function listOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const [first = '', ...others] = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [first, rule, ...others].join('\n');
}
