import { nestedIn } from '../../tables/nested/index.ts';
import { type NestedTable, sourceColumn } from '../../tables/nested/nested.ts';
import type { ColumnType, Table } from '../../tables/table.ts';
import { plausibleText } from './plausible.ts';
import type { Dice } from './random.ts';
import { singularOf } from './references.ts';
import type { ApiRecord } from './source.ts';
import { dayMs, timestamp } from './times.ts';

/** A row while it is being generated. */
export type Making = {
  readonly table: Table;
  readonly index: number;
  readonly created: number;
  readonly updated: number;
  /** Depends only on the row and the name, so that values stay the same when columns are added to the table. */
  readonly dice: (name: string) => Dice;
  /** An id that refers to nothing in the account. */
  readonly newId: (name: string, place: number) => string;
  /** The slim copy, with its id, of a row that a column refers to; `undefined` if there is none to refer to. */
  readonly copyFor: (column: string, place: number) => ApiRecord | undefined;
  /** The same for a field of that name, such as `user`. */
  readonly copyOfA: (thing: string, place: number) => ApiRecord | undefined;
};

/** The value of a column, which is sometimes empty unless the column is required or part of the key. */
export function valueOf(row: Making, name: string): unknown {
  const { columns, primaryKey } = row.table;
  const { type, description, required } = columns[name]!;
  if (name === 'created_at') return timestamp(row.created);
  if (name === 'updated_at') return timestamp(row.updated);
  const value =
    type === 'json'
      ? nestedValue(row, name)
      : scalar(row, type, { thing: singularOf(row.table.name), field: name, description });
  return required || primaryKey.includes(name) ? value : row.dice(`${name} is there`).optional(value, 0.8);
}

type Field = { readonly thing: string; readonly field: string; readonly description: string };

function scalar(row: Making, type: Exclude<ColumnType, 'json'>, at: Field, place = 0): unknown {
  const { thing, field } = at;
  const dice = row.dice(`${thing}.${field}.${place}`);
  switch (type) {
    case 'text':
      if (/(^|_)id$/.test(field)) return row.copyFor(field, place)?.['id'] ?? row.newId(field, place);
      return plausibleText({
        ...at,
        number: row.index + 1,
        moment: row.updated,
        dice,
      });
    case 'timestamp':
      return timestamp(momentOf(row, field, dice));
    case 'boolean':
      return dice.chance(0.5);
    case 'bigint':
      return /(^|_)(rank|position|order|number)$/.test(field) ? row.index + 1 : dice.below(1_000);
    case 'double':
      return dice.below(100_000) / 100;
  }
}

/** Ends and deadlines are after the last update, everything else is between creation and last update. */
function momentOf({ table, created, updated }: Making, field: string, dice: Dice): number {
  if (/^(ends?|expires?|due|until)_/.test(field)) return Math.floor(updated + dice.next() * 14 * dayMs);
  const length = 'updated_at' in table.columns ? updated - created : dayMs;
  return Math.floor(created + dice.next() * length);
}

/** A nested value that has the fields which other columns are taken from. If there are none, its name decides. */
function nestedValue(row: Making, name: string): unknown {
  const leaves = Object.entries(row.table.columns).flatMap(([column, { from, type, description }]) =>
    from?.[0] === name ? [{ column, path: from.slice(1), type, description }] : [],
  );
  if (leaves.length > 0) return objectWith(row, name, leaves);
  const nested = nestedIn(row.table.name).find((one) => sourceColumn(one) === name);
  const items = nested && itemsFor(row, name, nested);
  if (items !== undefined) return items;
  return valueNamed(row, name, row.table.columns[name]!.list === true);
}

/**
 * A list, or an object of entries, with the items that a nested table is made from. `undefined` if they are further
 * inside: then the items are made up, and the nested table names their fields as unknown.
 */
function itemsFor(row: Making, name: string, { itemsOf, columns }: NestedTable): unknown {
  const { path, by, position, outerPosition, entry, outer = {} } = itemsOf;
  const [, list, field] = /^(\[\])?(?:\{\}\.([a-z_]+)(?:\|[^.]*)?)?$/.exec(path.slice(name.length)) ?? [];
  if ((list === undefined) === (field === undefined)) return undefined;
  const around = [...by, position, outerPosition, entry, ...Object.keys(outer)];
  const leaves = Object.entries(columns).flatMap(([column, { from = [column], type, description }]) =>
    around.includes(column) ? [] : [{ column, path: from, type, description }],
  );
  const items = Array.from({ length: row.dice(name).below(4) }, (_, place) => itemAt(place));
  if (field === undefined) return items;
  return Object.fromEntries(items.map((item, place) => [row.newId(name, place), { [field]: item }]));

  function itemAt(place: number): unknown {
    const own: Making = {
      ...row,
      dice: (what) => row.dice(`${what} of ${name} ${place}`),
      newId: (what, nth) => row.newId(`${what} of ${name} ${place}`, nth),
      copyFor: (column, nth) => row.copyFor(column, place + nth),
    };
    const made = objectWith(own, singularOf(name), leaves);
    const fields = new Set(leaves.map(({ path: [field] }) => field));
    const item = Object.fromEntries(Object.entries(made).filter(([field]) => fields.has(field)));
    // An item that is not an object is read as one with the field `value`.
    return leaves.length === 1 && leaves[0]!.path.join('.') === 'value' ? item['value'] : item;
  }
}

type Leaf = {
  readonly column: string;
  readonly path: readonly string[];
  readonly type: ColumnType;
  readonly description: string;
};

function objectWith(row: Making, thing: string, leaves: readonly Leaf[]): ApiRecord {
  const made: ApiRecord = {};
  const deeper = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const [field = '', ...path] = leaf.path;
    if (path.length > 0) {
      deeper.set(field, [...(deeper.get(field) ?? []), { ...leaf, path }]);
    } else if (field === 'id') {
      const name = { thing, field: 'name', description: '' };
      Object.assign(
        made,
        row.copyFor(leaf.column, 0) ?? { id: row.newId(leaf.column, 0), name: scalar(row, 'text', name) },
      );
    } else {
      const { type, description } = leaf;
      made[field] =
        type === 'json' ? valueNamed(row, field) : scalar(row, type, { thing, field, description });
    }
  }
  // Only one of several objects is present, as in `creator`: a user, an alert or a workflow.
  const dice = row.dice(`${thing} is one of`);
  const names = [...deeper.keys()];
  const present = names.length > 1 ? [dice.pick(names)] : names.filter(() => dice.chance(0.85));
  for (const field of present) made[field] = objectWith(row, field, deeper.get(field)!);
  return made;
}

/**
 * A nested value by its name: `team_ids` has ids, `members` and `template` have objects.
 * @param isList left out, a name in the plural is a list
 */
function valueNamed(row: Making, name: string, isList?: boolean): unknown {
  const thing = singularOf(name);
  const copy = (place: number) =>
    row.copyOfA(thing, place) ?? {
      id: row.newId(name, place),
      name: scalar(row, 'text', { thing, field: 'name', description: '' }, place),
    };
  const several = Array.from({ length: row.dice(name).below(4) }, (_, place) => place);
  if (name.endsWith('_urls'))
    return several.map((place) => scalar(row, 'text', { thing: name, field: 'url', description: '' }, place));
  if (name.endsWith('_ids')) {
    return [...new Set(several.map((place) => row.copyFor(name, place)?.['id'] ?? row.newId(name, place)))];
  }
  return (isList ?? thing !== name) ? several.map(copy) : copy(0);
}
