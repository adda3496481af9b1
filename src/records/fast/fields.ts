import type { ColumnType, Table } from '../../tables/table.ts';

/** The kind of a JSON value. */
export type Kind = 'null' | 'boolean' | 'integer' | 'fraction' | 'text' | 'object' | 'array';

/** A field that some column needs: where its value was in the last record scanned. */
export class Field {
  readonly name: Buffer;
  readonly below: readonly Field[];
  /** The field that followed it last time, and most likely follows it again. */
  next: Field | undefined;
  kind: Kind = 'null';
  from = 0;
  to = 0;
  #seen = 0;

  /** @param below needed fields of the object that is its value. */
  constructor(name: string, below: readonly Field[] = []) {
    this.name = Buffer.from(name);
    this.below = below;
  }

  /** Whether the record with this number has the field. */
  isIn(record: number): boolean {
    return this.#seen === record;
  }

  /** Notes where the value is. @returns false if this record had the field before. */
  found(record: number, kind: Kind, from: number, to: number): boolean {
    const first = this.#seen !== record;
    this.#seen = record;
    this.kind = kind;
    this.from = from;
    this.to = to;
    return first;
  }
}

/** A declared column, and the field that fills it. */
export type Source = { readonly name: string; readonly type: ColumnType; readonly field: Field };

/** The fields that fill a table's columns. */
export type Sources = {
  /** The record's own fields by name. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Columns that are a field of the record. */
  readonly own: readonly Source[];
  /** Columns whose value is inside another field, with what precedes the value in a line. */
  readonly nested: readonly (Source & { readonly head: Buffer })[];
};

export function sourcesOf(table: Table): Sources {
  const columns = Object.entries(table.columns).filter(([name]) => name !== table.passes?.column);
  const paths = columns.flatMap(([, { from }]) => (from ? [from] : []));
  const own = columns
    .filter(([, { from }]) => from === undefined)
    .map(([name, { type }]) => ({ name, type, field: fieldAt([name], paths) }));
  const fields = new Map(own.map(({ name, field }) => [name, field]));
  const nested = columns.flatMap(([name, { type, from }]) => {
    if (!from) return [];
    const [first, ...steps] = from;
    const field = steps.reduce(
      (above, step) => above.below.find((below) => below.name.equals(Buffer.from(step)))!,
      fields.get(first)!,
    );
    return [{ name, type, field, head: Buffer.from(`,${JSON.stringify(name)}:`) }];
  });
  return { fields, own, nested };
}

/** The field at the end of a path, with the fields below it that other paths lead to. */
function fieldAt(path: readonly string[], paths: readonly (readonly string[])[]): Field {
  const steps = paths
    .filter((other) => other.length > path.length && path.every((step, index) => other[index] === step))
    .map((other) => other[path.length]!);
  return new Field(
    path.at(-1)!,
    [...new Set(steps)].map((step) => fieldAt([...path, step], paths)),
  );
}
