/** Rows that lack a field the vendor's reference requires: how many, and the key of the first one. */
export type MissingField = { readonly rows: number; readonly first: string };

/** By column. */
export type MissingFields = { readonly [column: string]: MissingField };

/** The sum of two counts, of which `before` has the earlier rows. */
export function sumOfMissing(before: MissingFields, more: MissingFields): MissingFields {
  const sums: { [column: string]: MissingField } = { ...before };
  for (const [column, { rows, first }] of Object.entries(more)) {
    const known = sums[column];
    sums[column] = known ? { rows: known.rows + rows, first: known.first } : { rows, first };
  }
  return sums;
}
