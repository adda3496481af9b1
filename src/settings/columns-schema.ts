import { z } from 'zod';

import { UsageError } from '../errors.ts';
import { tables } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';
import type { ColumnSettings, PersonalChoice } from './settings.ts';

/** The format of a table's `columns`. */
export function columnsSchema(table: Table) {
  const { name, columns } = table;
  const names = Object.keys(columns);
  const whyNeeded = neededColumns(table);
  return z
    .strictObject(
      {
        exclude: z
          .array(
            z
              .enum(names, {
                error: `use columns of ${name}: incident-io-source tables ${name} lists them`,
              })
              .check(({ value, issues }) => {
                const why = whyNeeded.get(value);
                if (why !== undefined) issues.push({ code: 'custom', message: why, input: value });
              }),
            { error: 'use a list of columns' },
          )
          .optional()
          .describe('Columns that are left out: their values never leave the answer of the API.'),
        land: z
          .array(z.string().regex(fieldPattern, { error: landTakes }), { error: landTakes })
          .optional()
          .describe(
            'Fields that this version does not know and that land anyway, even if their names look like secrets or personal data is left out: token, or images[].token.',
          ),
      },
      { error: 'use an object of exclude, land' },
    )
    .describe('Which columns and fields of the table land.');
}

const fieldPattern = /^[^.[\]\s]+(\[\])*(\.[^.[\]\s]+(\[\])*)*$/;
const landTakes = 'use a list of fields such as token or images[].token';

/** Columns that cannot be left out, and why. */
function neededColumns({ name, primaryKey, columns, passes }: Table): ReadonlyMap<string, string> {
  const needed = new Map<string, string>();
  for (const key of primaryKey) {
    const why = `it is part of the key of ${name} and cannot be left out`;
    needed.set(key, why);
    for (const column of columns[key]?.orFrom ?? []) needed.set(column, why);
  }
  if (passes)
    needed.set(passes.column, `it says which of its values a row was read for and cannot be left out`);
  for (const { name: child, parent } of tables) {
    if (parent?.table !== name) continue;
    const conditions = [...(parent.where ?? []), ...(parent.open ?? [])];
    for (const column of [
      ...parent.params.map((param) => param.column),
      ...Object.values(parent.columns),
      ...conditions.map((condition) => condition.column),
    ]) {
      if (!needed.has(column)) needed.set(column, `${child} is read by it, so it cannot be left out`);
    }
  }
  return needed;
}

/** Checks the rules that a platform asks for. Throws `UsageError`. */
export function assertColumns(
  table: Table,
  columns: ColumnSettings | undefined,
  { personal, hashKey }: { readonly personal?: PersonalChoice; readonly hashKey?: object },
): void {
  if (personal === 'hash' && hashKey === undefined) {
    throw new UsageError(
      'Personal data cannot be hashed without hashKey.',
      'Say where the worker finds the hash key.',
    );
  }
  const parsed = columnsSchema(table).optional().safeParse(columns);
  if (parsed.success) return;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UsageError(
    `The columns for ${table.name} are not valid: ${problems.join('; ')}.`,
    'Correct them.',
  );
}
