import { isChild, meets, parentKeyOf } from '../../tables/parents.ts';
import type { Parent, Table } from '../../tables/table.ts';
import { fieldAt, type Source } from './source.ts';

/** The rows of another table that the rows of a table belong to, when it is read parent by parent. */
export class ParentRows {
  /** The column that holds the parent's key. */
  readonly by: string;
  readonly #declared: Parent;
  readonly #parent: Table;
  readonly #source: Source;
  /** The numbers of the rows that can have children. */
  readonly #places: readonly number[];

  private constructor(declared: Parent, by: string, parent: Table, source: Source) {
    this.by = by;
    this.#declared = declared;
    this.#parent = parent;
    this.#source = source;
    const all = Array.from({ length: source.count }, (_, index) => index);
    const { where } = declared;
    this.#places = where ? all.filter((index) => meets(parent, source.record(index), where)) : all;
  }

  /** `undefined` if the table has a list of its own, or its parent is not served. */
  static of(
    table: Table,
    {
      tables,
      find,
    }: { readonly tables: readonly Table[]; readonly find: (table: string) => Source | undefined },
  ): ParentRows | undefined {
    const parent = tables.find(({ name }) => name === table.parent?.table);
    const source = parent && find(parent.name);
    if (!isChild(table) || !parent || !source) return undefined;
    return new ParentRows(table.parent, parentKeyOf(table, parent).by, parent, source);
  }

  get count(): number {
    return this.#places.length;
  }

  /** How many values the column has that holds the parent's key; `undefined` for another column. */
  countFor(column: string): number | undefined {
    return column === this.by ? this.count : undefined;
  }

  /** Whether a column's value follows from the parent's key. */
  follows(column: string): boolean {
    return column !== this.by && column in this.#declared.columns;
  }

  /** The value that a column takes from the parent; `undefined` for a column of the row's own. */
  value(column: string, nth: number): unknown {
    const of = this.#declared.columns[column];
    if (of === undefined || this.count === 0) return undefined;
    const place = this.#places[nth % this.count]!;
    if (of === this.#parent.primaryKey[0] && of === 'id') return this.#source.id(place);
    return fieldAt(this.#source.record(place), this.#parent.columns[of]?.from ?? [of]);
  }
}
