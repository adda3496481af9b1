import type { Table } from '../../tables/table.ts';
import type { Choice } from '../endpoints.ts';
import { ParentRows } from './parent-rows.ts';
import { valueOf, type Making } from './cells.ts';
import { listedIn } from './plausible.ts';
import { Dice, fraction, hash, Ids, saltOf } from './random.ts';
import { referencedTable, tableNamedAfter } from './references.ts';
import { fieldAt, type ApiRecord, type Facets, type Source, type Span } from './source.ts';
import { dayMs, roughen, Timeline, timestamp } from './times.ts';

/** The account that generated rows belong to. */
export type World = {
  readonly seed: number;
  readonly span: Span;
  /** All tables that are served. */
  readonly tables: readonly Table[];
  /** The rows of a table; `undefined` if there is none, or while it is being created. */
  readonly find: (table: string) => Source | undefined;
};

/** How the keys of rows are kept unique. */
type KeyPlan = {
  /** How many rows there can be. */
  readonly room: number;
  /** For a key that consists only of references: how many combinations lie between two values of a column. */
  readonly strides: ReadonlyMap<string, number>;
  /** The combinations of two rows in succession are this far apart. */
  readonly step: number;
};

/**
 * The rows of a table, generated from nothing but its declaration. Columns that hold ids refer to rows of other tables:
 * see `referencedTable`.
 */
export class GeneratedRows implements Source {
  readonly count: number;
  readonly rising = true;
  readonly facetPaths: { readonly [name: string]: readonly string[] };
  readonly #table: Table;
  readonly #world: World;
  readonly #choices: readonly Choice[];
  readonly #salt: number;
  readonly #ids: Ids;
  readonly #timeline: Timeline;
  /** The fields of a record: columns that are not taken from another one. */
  readonly #fields: readonly string[];
  readonly #key: KeyPlan;
  /** The rows that have these as children, if the table is read parent by parent. */
  readonly #parents: ParentRows | undefined;
  /** The tables that columns refer to. */
  readonly #tables = new Map<string, string | undefined>();
  #numbers: Map<string, number> | undefined;

  /**
   * @param size how many rows; if each row needs a row of another table, there may be fewer
   * @param choices the parameters that select rows of the list; each row gets a value for each
   */
  constructor(table: Table, size: number, choices: readonly Choice[], world: World) {
    const { seed, span } = world;
    this.#table = table;
    this.#world = world;
    this.#choices = choices.filter(({ ofParent }) => ofParent === undefined);
    this.#salt = saltOf(table.name);
    this.#ids = new Ids(seed, this.#salt);
    this.#fields = Object.entries(table.columns).flatMap(([name, { from }]) =>
      from || name === table.passes?.column ? [] : [name],
    );
    this.#parents = ParentRows.of(table, world);
    this.#key = this.#keyPlan();
    this.count = Math.min(size, this.#key.room);
    this.#timeline = new Timeline(span, this.count, seed, this.#salt);
    const held = this.#held;
    this.facetPaths = Object.fromEntries(
      held.filter((name) => this.#fields.includes(name)).map((name) => [name, [name]]),
    );
  }

  created(index: number): number {
    return this.#timeline.at(index);
  }

  updated(index: number, created = this.created(index)): number {
    if (!('updated_at' in this.#table.columns)) return created;
    const { seed, span } = this.#world;
    const share = fraction(seed, this.#salt + 1, index) ** 3;
    const later = created + share * Math.max(0, span.until - created);
    return Math.max(created, roughen(later, hash(seed, this.#salt + 2, index)));
  }

  id(index: number, created = this.created(index)): string {
    const { primaryKey, columns } = this.#table;
    if (this.#isNumberedById) return this.#ids.of(index, created);
    const record = this.record(index, created);
    return primaryKey.map((name) => String(fieldAt(record, columns[name]?.from ?? [name]))).join('/');
  }

  indexOf(id: string): number {
    if (this.#isNumberedById) return this.#ids.indexOf(id);
    this.#numbers ??= new Map(Array.from({ length: this.count }, (_, index) => [this.id(index), index]));
    return this.#numbers.get(id) ?? this.count;
  }

  record(index: number, created = this.created(index)): ApiRecord {
    const row = this.#making(index, created);
    return Object.fromEntries(this.#fields.map((name) => [name, this.#cell(row, name)]));
  }

  slim(index: number): ApiRecord {
    const row = this.#making(index, this.created(index));
    const named = ['id', 'name', 'title'].filter((name) => this.#fields.includes(name));
    return Object.fromEntries(named.map((name) => [name, this.#cell(row, name)]));
  }

  facets(index: number): Facets {
    const row = this.#making(index, this.created(index));
    const ids = this.#idsHeld.flatMap((name) => {
      const id = this.#fields.includes(name) && this.#cell(row, name);
      return typeof id === 'string' ? [[name, id]] : [];
    });
    return {
      ...Object.fromEntries(this.#choices.map((choice) => [choice.param, this.#chosen(choice, index)])),
      ...(Object.fromEntries(ids) as Facets),
    };
  }

  /** The columns by which requests select rows. */
  get #held(): string[] {
    return [...this.#idsHeld, ...this.#choices.map(({ param }) => param)];
  }

  get #idsHeld(): string[] {
    return [...new Set(['incident_id', ...Object.keys(this.#table.parent?.columns ?? {})])];
  }

  get #isNumberedById(): boolean {
    const { primaryKey } = this.#table;
    return primaryKey.length === 1 && primaryKey[0] === 'id';
  }

  /** A key that consists only of references takes combinations of the rows it refers to, each of them once. */
  #keyPlan(): KeyPlan {
    const { primaryKey, columns } = this.#table;
    const needed = Object.keys(columns).filter(
      (name) => primaryKey.includes(name) || (columns[name]!.required && columns[name]!.type === 'text'),
    );
    const counts = new Map(
      needed.flatMap((name) => {
        const count = this.#parents?.countFor(name) ?? this.#referenced(name)?.count;
        return count === undefined ? [] : [[name, count] as const];
      }),
    );
    const strides = new Map<string, number>();
    // A row that refers to a table without rows cannot exist.
    if ([...counts.values()].includes(0)) return { room: 0, strides, step: 1 };
    if (primaryKey.some((name) => this.#isUnique(name))) return { room: Infinity, strides, step: 1 };
    let room = 1;
    for (const name of primaryKey) {
      if (!counts.has(name) || this.#parents?.follows(name)) continue;
      strides.set(name, room);
      room *= counts.get(name)!;
    }
    let step = Math.ceil(room * 0.618);
    while (!areCoprime(step, room)) step += 1;
    return { room, strides, step };
  }

  /** Whether a key column is unique by itself. */
  #isUnique(name: string): boolean {
    const column = this.#table.columns[name]!;
    if (!this.#table.primaryKey.includes(name) || column.from) return false;
    return name === 'id' || (this.#tableOf(name) === undefined && listedIn(column.description).length === 0);
  }

  #tableOf(column: string): string | undefined {
    if (!this.#tables.has(column)) {
      const name = column === 'id' ? undefined : referencedTable(column, this.#table, this.#world.tables);
      this.#tables.set(column, name);
    }
    return this.#tables.get(column);
  }

  /** The rows that a column refers to. */
  #referenced(column: string): Source | undefined {
    const name = this.#tableOf(column);
    return name === undefined ? undefined : this.#world.find(name);
  }

  #making(index: number, created: number): Making {
    const { seed, tables, find } = this.#world;
    const salt = this.#salt;
    const place = (column: string, source: Source | undefined, nth: number) =>
      source === undefined || source.count === 0
        ? undefined
        : copyOf(source, this.#placeIn(source, column, index, created, nth));
    return {
      table: this.#table,
      index,
      created,
      updated: this.updated(index, created),
      dice: (name) => new Dice(hash(seed, salt + saltOf(name), index)),
      newId: (name, nth) => new Ids(seed, salt + saltOf(name)).of(index * 8 + nth, created),
      copyFor: (column, nth) => place(column, this.#referenced(column), nth),
      copyOfA: (thing, nth) => {
        const name = tableNamedAfter(thing, tables);
        return place(thing, name === undefined ? undefined : find(name), nth);
      },
    };
  }

  /** Which row of another table a row refers to. */
  #placeIn(source: Source, column: string, index: number, created: number, nth: number): number {
    const { seed, span } = this.#world;
    const { strides, step, room } = this.#key;
    const stride = strides.get(column);
    if (stride !== undefined) return Math.floor(((index * step) % room) / stride) % source.count;
    // If rows are spread evenly over the time, one that is older than this row.
    const age = Math.min(1, Math.max(0, (created - span.since) / (span.until - span.since)));
    const share = fraction(seed, this.#salt + saltOf(column) + nth, index) * age;
    return Math.min(Math.floor(share * source.count), source.count - 1);
  }

  #cell(row: Making, name: string): unknown {
    if (name === 'id') return this.#ids.of(row.index, row.created);
    const ofParent = this.#parents?.value(name, this.#parentOf(row.index));
    if (ofParent !== undefined) return ofParent;
    const given = this.#givenByList(row, name);
    if (given !== undefined) return given;
    const choice = this.#choices.find(({ param, reveals }) => param === name && reveals === undefined);
    if (choice) return this.#chosen(choice, row.index);
    if (!this.#isUnique(name)) return valueOf(row, name);
    const isTime = this.#table.columns[name]!.type === 'timestamp';
    return isTime ? timestamp(row.created) : `${name.replaceAll('_', '-')}-${row.index + 1}`;
  }

  /** What the declaration says about a whole list: the list's name, a value next to its records, a window of time. */
  #givenByList({ index }: Making, name: string): string | undefined {
    const { fromAnswer = {}, lists, timeWindow } = this.#table;
    const { seed, span } = this.#world;
    const dice = new Dice(hash(seed, this.#salt + 8, index));
    if (name in fromAnswer) return timestamp(span.until);
    if (name === lists?.column) return dice.pick(lists.names);
    if (!timeWindow) return undefined;
    const start = Math.floor(span.until - dice.next() * 300 * dayMs + 20 * dayMs);
    if (name === timeWindow.columns.start) return timestamp(start);
    const length = Math.ceil(dice.next() * 14 * dayMs);
    return name === timeWindow.columns.end ? timestamp(start + length) : undefined;
  }

  /** Which of the possible parents a row has. */
  #parentOf(index: number): number {
    const { strides, step, room } = this.#key;
    const stride = this.#parents && strides.get(this.#parents.by);
    const count = this.#parents?.count ?? 0;
    if (stride !== undefined) return Math.floor(((index * step) % room) / stride) % count;
    return Math.floor(fraction(this.#world.seed, this.#salt + 7, index) * count);
  }

  #chosen({ param, values, reveals }: Choice, index: number): string {
    const dice = new Dice(hash(this.#world.seed, this.#salt + saltOf(param), index));
    if (reveals === undefined) return dice.pick(values);
    return dice.chance(0.2) ? 'hidden' : 'shown';
  }
}

/** Whether repeatedly adding `step`, modulo `room`, reaches every number below `room` once. */
function areCoprime(step: number, room: number): boolean {
  return room === 0 ? step === 1 : areCoprime(room, step % room);
}

function copyOf(source: Source, index: number): ApiRecord {
  if (source.slim) return { ...source.slim(index), id: source.id(index) };
  const { name, title } = source.record(index);
  return { id: source.id(index), ...(name !== undefined && { name }), ...(title !== undefined && { title }) };
}
