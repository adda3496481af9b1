import { fieldAt, type ApiRecord, type Facts, type Source } from './data/source.ts';
import { momentOf, timestamp } from './data/times.ts';
import { lackedBy, type RowRule } from './faults.ts';

/** A row that was created after the sandbox started. */
type Added = {
  readonly id: string;
  /** Where it is in the order: half a row before the generated row of the next number. */
  readonly place: number;
  readonly created: number;
  record: ApiRecord;
  facts: Facts;
};

/** One row: the number of a generated row, or an added row itself. */
export type Row = number | Added;

export type Order = 'oldest' | 'newest';

/** One table: its generated rows, and what has been changed, removed and added since. */
export class Rows {
  readonly #source: Source;
  readonly #key: readonly (readonly string[])[];
  readonly #rules: () => readonly RowRule[];
  readonly #now: () => number;
  readonly #changed = new Map<number, { record: ApiRecord; facts: Facts }>();
  readonly #removed = new Set<number>();
  readonly #added: Added[] = [];
  readonly #addedById = new Map<string, Added>();
  #created = 0;
  #version = 0;
  #updated: Float64Array | undefined;

  /**
   * @param key where a record holds the values that together identify it
   * @param rules the fields that rows lack at the moment
   */
  constructor(
    source: Source,
    key: readonly (readonly string[])[],
    rules: () => readonly RowRule[],
    now: () => number,
  ) {
    this.#source = source;
    this.#key = key;
    this.#rules = rules;
    this.#now = now;
  }

  /** Differs after each change. */
  get version(): string {
    return `${this.#version} ${JSON.stringify(this.#rules())}`;
  }

  /** The id of a row: the values of its key, with slashes between them if there are several. */
  idOf(record: ApiRecord): string {
    return this.#key.map((path) => String(fieldAt(record, path))).join('/');
  }

  /** The id of a generated row, even if it was removed since. */
  idAt(index: number): string {
    if (index < 0 || index >= this.#source.count) {
      throw new RangeError(`row ${index} of ${this.#source.count}`);
    }
    return this.#source.id(index);
  }

  /** The id of the existing row at this share of the table, 0 to below 1; `undefined` if the table is empty. */
  idAtShare(share: number): string | undefined {
    const { count } = this.#source;
    const all = count + this.#added.length;
    const first = Math.floor(share * all);
    for (let step = 0; step < all; step += 1) {
      const place = (first + step) % all;
      if (place >= count) return this.#added[place - count]!.id;
      if (!this.#removed.has(place)) return this.#source.id(place);
    }
    return undefined;
  }

  locate(id: string): Row | undefined {
    const added = this.#addedById.get(id);
    if (added !== undefined) return added;
    const index = this.#source.indexOf(id);
    const isThere = index < this.#source.count && !this.#removed.has(index) && this.#source.id(index) === id;
    return isThere ? index : undefined;
  }

  id(row: Row): string {
    return typeof row === 'number' ? this.#source.id(row) : row.id;
  }

  record(row: Row): ApiRecord {
    const record = this.#whole(row);
    const lacked = this.#lackedBy(row);
    if (lacked.length === 0) return record;
    return Object.fromEntries(Object.entries(record).filter(([field]) => !lacked.includes(field)));
  }

  /** The record without regard to rules about fields that it lacks. */
  #whole(row: Row): ApiRecord {
    if (typeof row !== 'number') return row.record;
    return this.#changed.get(row)?.record ?? this.#source.record(row);
  }

  #lackedBy(row: Row): readonly string[] {
    const rules = this.#rules();
    return rules.length === 0 ? [] : lackedBy(this.id(row), rules);
  }

  facts(row: Row): Facts {
    if (typeof row !== 'number') return row.facts;
    return (
      this.#changed.get(row)?.facts ?? {
        created: this.#source.created(row),
        updated: this.updated(row),
        values: this.#source.facets?.(row) ?? {},
      }
    );
  }

  /** What filters on created_at compare: NaN, which matches no filter, if the record does not have it. */
  created(row: Row): number {
    if (this.#lackedBy(row).includes('created_at')) return Number.NaN;
    if (typeof row !== 'number') return row.facts.created;
    return this.#changed.get(row)?.facts.created ?? this.#source.created(row);
  }

  /** The same for updated_at. */
  updated(row: Row): number {
    if (this.#lackedBy(row).includes('updated_at')) return Number.NaN;
    if (typeof row !== 'number') return row.facts.updated;
    this.#updated ??= Float64Array.from({ length: this.#source.count }, (_, i) => this.#source.updated(i));
    return this.#changed.get(row)?.facts.updated ?? this.#updated[row] ?? Number.NaN;
  }

  /**
   * Visits rows in order, starting after `after`, until `visit` returns false. May skip generated rows that were
   * not created within `created`.
   */
  scan(
    order: Order,
    after: Row | undefined,
    created: { readonly from: number; readonly before: number },
    visit: (row: Row) => boolean,
  ): void {
    const step = order === 'oldest' ? 1 : -1;
    const [low, high] = this.#source.rising
      ? [this.#rank(created.from), this.#rank(created.before)]
      : [0, this.#source.count];
    let base = step === 1 ? low : high - 1;
    let added = step === 1 ? 0 : this.#added.length - 1;
    if (after !== undefined) {
      const place = typeof after === 'number' ? after : after.place;
      const next = step === 1 ? Math.floor(place) + 1 : Math.ceil(place) - 1;
      base = step === 1 ? Math.max(base, next) : Math.min(base, next);
      if (typeof after === 'number') {
        const isBehind = (other: Added) => (other.place - after) * step > 0;
        added = step === 1 ? this.#added.findIndex(isBehind) : this.#added.findLastIndex(isBehind);
        if (added === -1) added = step === 1 ? this.#added.length : -1;
      } else {
        added = this.#added.indexOf(after) + step;
      }
    }
    for (;;) {
      const extra = this.#added[added];
      const isBase = base >= low && base < high;
      if (!isBase && extra === undefined) return;
      if (isBase && (extra === undefined || (extra.place - base) * step > 0)) {
        if (!this.#removed.has(base) && !visit(base)) return;
        base += step;
      } else if (extra !== undefined) {
        if (!visit(extra)) return;
        added += step;
      }
    }
  }

  /** Merges a patch into a row and stamps it `stampedAgoMs` before now. The row keeps its place in the order. */
  change(id: string, patch: ApiRecord | ((record: ApiRecord) => ApiRecord), stampedAgoMs: number): ApiRecord {
    const row = this.locate(id);
    if (row === undefined) throw new RangeError(`no row ${id} to change`);
    const before = plain(this.#whole(row));
    const stamp = timestamp(this.#now() - stampedAgoMs);
    const record = plain({
      ...before,
      ...('updated_at' in before ? { updated_at: stamp } : {}),
      ...(typeof patch === 'function' ? patch(before) : patch),
    });
    const facts = this.#factsOf(record, this.facts(row).values);
    if (typeof row === 'number') this.#changed.set(row, { record, facts });
    else Object.assign(row, { record, facts });
    this.#version++;
    return this.record(row);
  }

  /** Adds a row, stamped `stampedAgoMs` before now. Fields that are not in the patch are generated. */
  create(patch: ApiRecord, stampedAgoMs: number): ApiRecord {
    const index = this.#source.count + this.#created++;
    const moment = this.#now() - stampedAgoMs;
    const made = plain(this.#source.record(index, moment));
    const record = plain({
      ...made,
      ...('updated_at' in made ? { updated_at: timestamp(moment) } : {}),
      ...patch,
    });
    const id = this.idOf(record);
    if (this.locate(id) !== undefined) throw new RangeError(`there already is a row ${id}`);
    const created = momentOf(record['created_at']) ?? moment;
    const facts = this.#factsOf(record, this.#source.facets?.(index) ?? {});
    const place = this.#source.rising ? this.#rank(created) - 0.5 : this.#source.count;
    const row: Added = { id, place, created, record, facts };
    const next = this.#added.findIndex(
      (other) => other.place > place || (other.place === place && other.created > created),
    );
    this.#added.splice(next === -1 || !this.#source.rising ? this.#added.length : next, 0, row);
    this.#addedById.set(id, row);
    this.#version++;
    return this.record(row);
  }

  /** Deletes a row without a trace. */
  remove(id: string): void {
    const row = this.locate(id);
    if (row === undefined) throw new RangeError(`no row ${id} to remove`);
    if (typeof row === 'number') {
      this.#removed.add(row);
    } else {
      this.#added.splice(this.#added.indexOf(row), 1);
      this.#addedById.delete(id);
    }
    this.#version++;
  }

  /** What a record that was changed or added is filtered by. No filter on a time matches a record without it. */
  #factsOf(record: ApiRecord, before: Facts['values']): Facts {
    const values = { ...before };
    for (const [name, path] of Object.entries(this.#source.facetPaths ?? {})) {
      const value = fieldAt(record, path);
      if (typeof value === 'string' || typeof value === 'boolean') values[name] = String(value);
    }
    return {
      created: momentOf(record['created_at']) ?? Number.NaN,
      updated: momentOf(record['updated_at']) ?? Number.NaN,
      values,
    };
  }

  /** How many generated rows were created before a moment. */
  #rank(moment: number): number {
    let low = 0;
    let high = this.#source.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#source.created(middle) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The record as it would come out of JSON: without keys that are `undefined`. */
function plain(record: ApiRecord): ApiRecord {
  return JSON.parse(JSON.stringify(record)) as ApiRecord;
}
