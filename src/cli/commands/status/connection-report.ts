import type { ConnectionHealth } from '../../../connections/status/connection-health.ts';
import { type State, states, type TableHealth } from '../../../connections/status/table-health.ts';
import { hideSecrets } from '../../../secrets.ts';
import type { Output } from '../../session.ts';
import { count, type PrintedColumn, printTable, span } from '../../terminal/output.ts';

/** Prints one line per connection, with what is wrong and what to do, and how many are in which state. */
export function printConnections(output: Output, connections: readonly ConnectionHealth[]): void {
  printTable(output, connections, columns);
  output.write(`${summary(connections)}\n`);
}

const shownState: { readonly [S in State]: string } = {
  unreadable: 'UNREADABLE',
  failing: 'FAILING',
  late: 'LATE',
  paused: 'paused',
  not_available: 'not available',
  first_sync: 'first sync',
  current: 'current',
};

const columns: readonly PrintedColumn<ConnectionHealth>[] = [
  { head: 'connection', value: ({ connection, settings }) => connection ?? settings },
  { head: 'state', value: ({ state }) => shownState[state] },
  { head: 'why', value: reasonOf, wrap: true },
];

/** What is wrong, in one line: the first of its tables in the worst state speaks for all of them. */
function reasonOf({ state, tables, ...own }: ConnectionHealth): string {
  const [first, ...others] = tables.filter((table) => table.state === state);
  const { message, advice } = first ?? own;
  const names = first && state !== 'current' ? namesOf([first, ...others], tables.length) : '';
  const behind =
    first?.lagSeconds === undefined || state !== 'late' ? '' : ` ${span(first.lagSeconds)} behind`;
  const parts = [names + behind, message === undefined ? '' : oneLine(message)];
  const line = parts.filter((part) => part !== '').join(': ');
  return hideSecrets(advice === undefined ? line : `${line} → ${oneLine(advice)}`);
}

function namesOf(tables: readonly TableHealth[], all: number): string {
  if (tables.length === all) return all === 1 ? tables[0]!.table : `all ${all} tables`;
  const [first, second, ...more] = tables.map(({ table }) => table);
  if (second === undefined) return first!;
  return more.length === 0 ? `${first}, ${second}` : `${first}, ${second} and ${more.length} more`;
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ');

/** `100 connections: 1 unreadable, 2 failing, 97 current` */
function summary(connections: readonly ConnectionHealth[]): string {
  const numbers = states
    .map((state) => [state, connections.filter((one) => one.state === state).length] as const)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${shownState[state].toLowerCase()}`);
  return `${count(connections.length, 'connection')}: ${numbers.join(', ')}`;
}
