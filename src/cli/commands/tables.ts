import { Command } from 'commander';
import { tableNamed, tables } from '../../tables/index.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table } from '../../tables/table.ts';
import { examples } from '../terminal/help.ts';
import { printJson, printTable } from '../terminal/output.ts';
import type { Session } from '../session.ts';

/** `tables`: what can be synced, and what each table holds. */
export function tablesCommand(session: Session): Command {
  return new Command('tables')
    .description('list the tables, or show the columns of one; needs no API key')
    .argument('[table]', 'show this table with its columns')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        ['What can be synced, and how', 'incident-io-source tables'],
        ['What is in one table', 'incident-io-source tables incidents'],
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
  printTable(stdout, tables, [
    { head: 'table', value: ({ name }) => name },
    { head: 'sync methods', value: methodsOf, wrap: true },
    {
      head: 'incremental fields',
      value: (table) => incrementalFieldsOf(table).join(', '),
      wrap: true,
    },
    { head: 'key', value: ({ primaryKey }) => primaryKey.join(', ') },
    { head: 'scope', value: ({ scope }) => scope ?? 'none' },
    { head: 'description', value: ({ description }) => description, wrap: true },
  ]);
  stdout.write('\n* used unless told otherwise. Columns of a table: incident-io-source tables <table>\n');
}

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
  stdout.write(`${table.name}: ${table.description}\n\n`);
  stdout.write(`sync methods        ${methodsOf(table)}\n`);
  stdout.write(`incremental fields  ${incrementalFieldsOf(table).join(', ') || 'none'}\n`);
  stdout.write(`primary key         ${table.primaryKey.join(', ')}\n`);
  stdout.write(`scope of the key    ${table.scope}\n\n`);
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
    methods: syncMethodsOf(table),
    incremental_fields: incrementalFieldsOf(table),
    primary_key: table.primaryKey,
    scope: table.scope,
  };
}

/** The default first, marked where there is a choice. */
function methodsOf(table: Table): string {
  const methods = syncMethodsOf(table);
  return methods.length === 1
    ? methods[0]
    : methods.map((method, i) => (i === 0 ? `${method}*` : method)).join(', ');
}
