import { AccountMismatchError } from '../errors.ts';
import { failureOf, isForeseen, type TableFailure } from '../failure.ts';
import type { Table } from '../tables/table.ts';
import { sideBySide } from '../warehouse/side-by-side.ts';

/** What was done with a table, or why it was not. */
export type PerTable<Done> = ({ readonly table: string } & Done) | TableFailure;

/**
 * Does the same with each table, a few at a time. A failure affects only its own table. Only another
 * account ends everything, because then the key or the destination is the wrong one for every table.
 *
 * Throws `AccountMismatchError`, and errors that are defects.
 */
export function perTable<Done extends object>(
  tables: readonly Table[],
  work: (table: Table) => Promise<Done>,
): Promise<PerTable<Done>[]> {
  return sideBySide(tables, async (table) => {
    try {
      return { table: table.name, ...(await work(table)) };
    } catch (error) {
      if (!isForeseen(error) || error instanceof AccountMismatchError) throw error;
      return { table: table.name, ...failureOf(error) };
    }
  });
}

export function isFailure(outcome: PerTable<object>): outcome is TableFailure {
  return 'error' in outcome;
}
