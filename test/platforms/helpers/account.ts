import { expect } from 'vitest';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { idsOf } from '../../helpers/platform.ts';
import { declaredTypesOf, differences } from '../../helpers/truth.ts';

type Row = { readonly [column: string]: unknown };

/** The tables of the tests: one with every kind of value, one that is read whole, one that never changes. */
export const names = ['incidents', 'users', 'severities'];

/** Changes, creates and deletes rows. @returns the ids of the deleted ones */
export function change(sandbox: Sandbox): string[] {
  const incidents = idsOf(sandbox, 'incidents');
  sandbox.change('incidents', incidents[1]!, {
    name: 'changed',
    summary: 'with "quotes", a \\ and\na line break',
  });
  sandbox.create('incidents', {});
  const users = idsOf(sandbox, 'users');
  sandbox.change('users', users[0]!, { name: 'Renamed' });
  const deleted = [incidents[2]!, incidents[9]!];
  for (const id of deleted) sandbox.remove('incidents', id);
  sandbox.remove('users', users[3]!);
  return [...deleted, users[3]!];
}

/**
 * Expects the rows at a destination, without deleted ones, to be the account's, each once, value by value.
 * @param rows in the form in which delta-rs reads them
 * @param stored how the destination stores a text
 */
export function expectAccount(
  sandbox: Sandbox,
  name: string,
  rows: readonly Row[],
  stored: (text: string) => string | null = (text) => text,
): void {
  const records = new Map([...sandbox.records(name)].map((record) => [sandbox.idOf(name, record), record]));
  const ids = rows.map(({ id }) => String(id));
  expect(ids.toSorted(), `${name}: ids`).toEqual([...records.keys()].sort());
  const table = tableNamed(name);
  const recordOf = (row: Row) => {
    const record = Object.entries(records.get(String(row['id']))!);
    return Object.fromEntries(
      record.map(([field, value]) => [field, typeof value === 'string' ? stored(value) : value]),
    );
  };
  const wrong = rows.flatMap((row) =>
    differences(row, recordOf(row), table, declaredTypesOf(table)).map(
      (column) => `${name}.${column} of ${String(row['id'])}: ${JSON.stringify(row[column])}`,
    ),
  );
  expect(wrong, `${name}: values that differ`).toEqual([]);
}
