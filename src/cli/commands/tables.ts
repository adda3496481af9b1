import { Command } from 'commander';
import { inGroups, tableNamed, tables } from '../../tables/index.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table } from '../../tables/table.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { type PrintedColumn, printJson, printTable } from '../terminal/output.ts';
import { widthOf, writeText } from '../terminal/text.ts';

/** `tables`: what can be synced, and the columns of each table. */
export function tablesCommand(session: Session): Command {
  return new Command('tables')
    .description('list all tables, or show the columns of one; needs no API key')
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
      if (name !== undefined) showTable(session, tableNamed(name), json === true);
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
    'selected: by default, with --all, or only by its name.\n* the default sync method. To see the columns of a table:\n  incident-io-source tables <table>',
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
  const columns = Object.entries(table.columns).map(([name, column]) => ({ name, ...column }));
  if (json) {
    printJson(stdout, {
      ...summaryOf(table),
      columns: columns.map(({ name, type, description, personal }) => ({
        name,
        type,
        description,
        personal: personal === true,
      })),
    });
    return;
  }
  writeText(stdout, `${table.name}: ${table.description}\n`);
  stdout.write(`group               ${table.group}\n`);
  stdout.write(`selected            ${selectedInWords(table)}\n`);
  stdout.write(`sync methods        ${syncMethodsInWords(table)}\n`);
  stdout.write(`incremental fields  ${incrementalFieldsOf(table).join(', ') || 'none'}\n`);
  stdout.write(`primary key         ${table.primaryKey.join(', ')}\n`);
  stdout.write(`scope               ${table.scope ?? 'none'}\n\n`);
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
