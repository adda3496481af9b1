import { estimateRequests, type RequestEstimate } from '../../connections/request-estimate.ts';
import type { TablePermission } from '../../incident-io/permissions.ts';
import { count, type PrintedColumn } from './output.ts';

/** Columns with the approximate number of requests that each table costs; empty if the key cannot read the table. */
export function requestColumns(permissions: readonly TablePermission[]): PrintedColumn<TablePermission>[] {
  const estimates = new Map(estimateRequests(permissions).map((estimate) => [estimate.table, estimate]));
  const column = (head: string, figure: 'fullRead' | 'quietDay'): PrintedColumn<TablePermission> => ({
    head,
    align: 'right',
    value: ({ table }) => {
      const estimate = estimates.get(table);
      return estimate === undefined ? '' : inWords(estimate, figure);
    },
  });
  return [column('full read', 'fullRead'), column('quiet day', 'quietDay')];
}

function inWords(estimate: RequestEstimate, figure: 'fullRead' | 'quietDay'): string {
  return `${count(estimate[figure])}${estimate.atLeast ? '+' : ''}`;
}

/** What the columns mean, and their sums. */
export function requestsInWords(permissions: readonly TablePermission[]): string {
  const estimates = estimateRequests(permissions);
  const sum = (figure: 'fullRead' | 'quietDay') =>
    estimates.reduce((total, estimate) => total + estimate[figure], 0);
  return (
    `Requests, about: ${count(sum('fullRead'))} to read all of these tables once, ${count(sum('quietDay'))} on a day ` +
    'without changes. +: or more, because the API does not say how many rows there are.'
  );
}
