import { dayMs } from '../incident-io/windows.ts';
import type { TablePermission } from '../incident-io/permissions.ts';
import { defaultTableSettings, intervalMs } from '../settings/settings.ts';
import { tableNamed } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';

/** About how many requests a table costs, besides asking whose key it is once per hour. */
export type RequestEstimate = {
  readonly table: string;
  /** To read the whole table once. */
  readonly fullRead: number;
  /** On a day without changes, at the default sync method and frequency. */
  readonly quietDay: number;
  /** The API does not count the rows that this depends on, so it may cost more requests. */
  readonly atLeast: boolean;
};

/** Estimates the tables that a key can read, from the API's row counts where it has them. */
export function estimateRequests(permissions: readonly TablePermission[]): RequestEstimate[] {
  const rows = new Map(
    permissions.flatMap((permission) =>
      permission.allowed && permission.rows !== undefined
        ? [[permission.table, permission.rows] as const]
        : [],
    ),
  );
  return permissions.flatMap(({ table, allowed }) => (allowed ? [estimateOf(tableNamed(table), rows)] : []));
}

function estimateOf(table: Table, rows: ReadonlyMap<string, number>): RequestEstimate {
  const { name, paging, passes, reveals = [], parent } = table;
  const { every, syncMethod, fullReadEvery = every } = defaultTableSettings(table);
  const runs = dayMs / intervalMs(every);
  const fullReads = fullReadEvery === 'never' ? 0 : dayMs / intervalMs(fullReadEvery);
  if (parent) {
    const parents = rows.get(parent.table);
    const fullRead = Math.max(1, parents ?? 0);
    // Each parent is read again once per full read, a share of them in each run.
    return {
      table: name,
      fullRead,
      quietDay: Math.ceil(fullRead * fullReads),
      atLeast: parents === undefined,
    };
  }
  // Values of a parameter that another list has, and at least one page per list.
  const before = reveals.filter(({ moreFrom }) => moreFrom !== undefined).length;
  const lists = passes?.values.length ?? 1;
  const pages = paging.kind === 'pages' ? Math.ceil((rows.get(name) ?? 0) / paging.pageSize) : 1;
  const fullRead = before + Math.max(lists, pages);
  const byChanges = syncMethod === 'incremental' ? (runs - fullReads) * (before + lists) : 0;
  const whole = (syncMethod === 'incremental' ? fullReads : runs) * fullRead;
  return {
    table: name,
    fullRead,
    quietDay: Math.ceil(byChanges + whole),
    atLeast: paging.kind === 'pages' && !rows.has(name),
  };
}
