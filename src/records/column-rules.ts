import { createHmac } from 'node:crypto';

import type { Column, TableShape } from '../tables/table.ts';

/** Which columns a connection leaves out of its rows or hashes. */
export type ColumnRules = {
  /** Columns that are left out. */
  readonly exclude?: readonly string[];
  /** Undeclared fields that land anyway: `creator.token`, `images[].token`. */
  readonly land?: readonly string[];
  /** How personal data is treated; if left out, it lands unchanged. */
  readonly personal?: 'hash' | 'leave_out';
};

/** The same, with the hash key. */
export type ResolvedRules = ColumnRules & { readonly hashKey?: string };

/** The rules in the form that making rows needs. */
export type RuledColumns<Shape extends TableShape> = {
  /** The table without the columns that are left out, whose fields it cuts out like secrets. */
  readonly table: Shape;
  /** The columns whose values are written as hashes. */
  readonly hashed: ReadonlySet<string>;
  /** Undeclared fields are left out too, since it is unknown whether they are personal. */
  readonly isStrict: boolean;
  readonly hash: (value: string) => string;
};

export function ruledColumns<Shape extends TableShape>(
  table: Shape,
  { exclude = [], personal, hashKey = '' }: ResolvedRules,
): RuledColumns<Shape> {
  const isPersonal = ({ personal: marked }: Column) => personal !== undefined && marked === true;
  const isHashed = (column: Column) => isPersonal(column) && personal === 'hash' && column.type === 'text';
  const entries = Object.entries(table.columns);
  const kept = entries.filter(
    ([name, column]) => !exclude.includes(name) && (!isPersonal(column) || isHashed(column)),
  );
  const needed = new Set(kept.map(([name, { from }]) => from?.[0] ?? name));
  const cut = entries
    .filter(([name, { from }]) => from === undefined && !needed.has(name))
    .map(([name]) => name);
  return {
    table: { ...table, columns: Object.fromEntries(kept), secrets: [...(table.secrets ?? []), ...cut] },
    hashed: new Set(kept.filter(([, column]) => isHashed(column)).map(([name]) => name)),
    isStrict: personal !== undefined,
    hash: (value) => hashOf(value, hashKey),
  };
}

/** 128 bits of a keyed hash: two values of an account never share one, and without the key no value can be guessed. */
function hashOf(value: string, key: string): string {
  return createHmac('sha256', key).update(value).digest('hex').slice(0, 32);
}

/**
 * The rules as canonical JSON, for a table's state: a table made with other rules is read in full. Empty without rules.
 * The hash key is included only as a hash.
 */
export function textOfRules({ exclude = [], land = [], personal, hashKey }: ResolvedRules): string {
  const rules = {
    ...(exclude.length > 0 && { exclude: [...exclude].sort() }),
    ...(land.length > 0 && { land: [...land].sort() }),
    ...(personal && { personal }),
    ...(personal === 'hash' && { key: hashOf('which key', hashKey ?? '').slice(0, 8) }),
  };
  return Object.keys(rules).length === 0 ? '' : JSON.stringify(rules);
}
