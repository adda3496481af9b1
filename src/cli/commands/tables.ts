import { Command } from 'commander';
import { inGroups, tableNamed, tables } from '../../tables/index.ts';
import { nestedIn, nestedTables } from '../../tables/nested/index.ts';
import { type NestedTable, sourceColumn } from '../../tables/nested/nested.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table, type TableShape } from '../../tables/table.ts';
import type { Output, Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { type PrintedColumn, printJson, printTable } from '../terminal/output.ts';
import { widthOf, writeText } from '../terminal/text.ts';

/** `tables`: what can be synced, and the columns of each table. */
export function tablesCommand(session: Session): Command {
  return new Command('tables')
    .argument('[table]', 'show this table and its columns')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        ['All tables, and how they can be synced', 'incident-io-source tables'],
        ['The columns of one table', 'incident-io-source tables incidents'],
        [
          'Columns that may hold personal data',
          `incident-io-source tables users --json | jq -r '.columns[] | select(.personal).name'`,
        ],
      ),
    )
    .action((name: string | undefined, { json }: { json?: true }) => {
      const nested = nestedTables.find((table) => table.name === name);
      if (nested) showNested(session, nested, json === true);
      else if (name !== undefined) showTable(session, tableNamed(name), json === true);
      else listTables(session, json === true);
    });
}

function listTables({ stdout }: Session, json: boolean): void {
  if (json) {
    printJson(stdout, tables.map(summaryOf));
    return;
  }
  const columns = widthOf(stdout) < wideColumns ? narrow : wide;
  for (const [group, own] of inGroups(tables)) {
    stdout.write(`${group}\n`);
    printTable(stdout, own, columns);
    stdout.write('\n');
  }
  writeText(
    stdout,
    `selected: by default, with --all, or only by its name.\n* the default sync method. ${nestedTables.length} more tables are made from lists inside these and come with them.\nTo see the columns of a table, and which tables come with it:\n  incident-io-source tables <table>`,
  );
}

type Column = PrintedColumn<Table>;
const nameColumn: Column = { head: 'table', value: ({ name }) => name };
const selectedColumn: Column = { head: 'selected', value: selectedInWords };
const methodsColumn: Column = { head: 'sync methods', value: syncMethodsInWords, wrap: true };
const descriptionColumn: Column = {
  head: 'description',
  value: ({ description }) => description,
  wrap: true,
};
/** On a narrower terminal, more columns would cut the names of the tables. */
const wideColumns = 140;
const narrow = [nameColumn, selectedColumn, methodsColumn, descriptionColumn];
const wide: readonly Column[] = [
  nameColumn,
  selectedColumn,
  methodsColumn,
  { head: 'incremental fields', value: (table) => incrementalFieldsOf(table).join(', '), wrap: true },
  { head: 'primary key', value: ({ primaryKey }) => primaryKey.join(', ') },
  { head: 'scope', value: ({ scope }) => scope ?? 'none' },
  descriptionColumn,
];

function showTable({ stdout }: Session, table: Table, json: boolean): void {
  if (json) {
    printJson(stdout, { ...summaryOf(table), columns: columnsAsJson(table) });
    return;
  }
  writeText(stdout, `${table.name}: ${table.description}\n`);
  stdout.write(`group               ${table.group}\n`);
  stdout.write(`selected            ${selectedInWords(table)}\n`);
  stdout.write(`sync methods        ${syncMethodsInWords(table)}\n`);
  stdout.write(`incremental fields  ${incrementalFieldsOf(table).join(', ') || 'none'}\n`);
  stdout.write(`primary key         ${table.primaryKey.join(', ')}\n`);
  stdout.write(`scope               ${table.scope ?? 'none'}\n`);
  const nested = nestedIn(table.name).map(({ name }) => name);
  if (nested.length > 0) writeText(stdout, `nested tables       ${nested.join(', ')}`);
  stdout.write('\n');
  printColumns(stdout, table);
}

/** The same for a table that comes with another one. */
function showNested({ stdout }: Session, table: NestedTable, json: boolean): void {
  const { name, description, primaryKey, itemsOf } = table;
  const from = `${itemsOf.table.name}.${sourceColumn(table)}`;
  if (json) {
    printJson(stdout, {
      name,
      description,
      made_from: from,
      primary_key: primaryKey,
      columns: columnsAsJson(table),
    });
    return;
  }
  writeText(stdout, `${name}: ${description}\n`);
  stdout.write(`made from           ${from}\n`);
  stdout.write(`primary key         ${primaryKey.join(', ')}\n\n`);
  printColumns(stdout, table);
}

function columnsAsJson({ columns }: TableShape) {
  return Object.entries(columns).map(([name, { type, description, personal }]) => ({
    name,
    type,
    description,
    personal: personal === true,
  }));
}

function printColumns(stdout: Output, table: TableShape): void {
  const columns = Object.entries(table.columns).map(([name, column]) => ({ name, ...column }));
  printTable(stdout, columns, [
    { head: 'column', value: ({ name }) => name },
    { head: 'type', value: ({ type }) => type },
    { head: 'personal', value: ({ personal }) => (personal ? 'personal' : '') },
    { head: 'description', value: ({ description }) => description, wrap: true },
  ]);
}

function summaryOf(table: Table) {
  return {
    name: table.name,
    description: table.description,
    group: table.group,
    selected_by: table.selectedBy ?? 'default',
    sync_methods: syncMethodsOf(table),
    incremental_fields: incrementalFieldsOf(table),
    primary_key: table.primaryKey,
    scope: table.scope,
    nested_tables: nestedIn(table.name).map(({ name }) => name),
  };
}

/** Who gets the table. */
function selectedInWords({ selectedBy }: Table): string {
  if (selectedBy === undefined) return 'by default';
  return selectedBy === 'all' ? 'with --all' : 'by name';
}

/** The default first, marked if there is a choice. */
function syncMethodsInWords(table: Table): string {
  const methods = syncMethodsOf(table);
  return methods.length === 1
    ? methods[0]
    : methods.map((method, i) => (i === 0 ? `${method}*` : method)).join(', ');
}
