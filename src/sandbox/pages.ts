import { parentKeyOf } from '../tables/parents.ts';
import type { KeyHolder } from './auth.ts';
import {
  answeredPart,
  type Asked,
  besides,
  canHaveChildren,
  type Child,
  overlaps,
  sentOf,
  wrapped,
} from './children.ts';
import type { ApiRecord, Facts } from './data/source.ts';
import type { Choice } from './endpoints.ts';
import type { Query, Range } from './filters.ts';
import type { List, Lists } from './lists.ts';
import { notFound } from './problems.ts';
import type { Row } from './rows.ts';

/** Turns a record into the JSON text that is sent. */
export type Serialise = (table: string, record: ApiRecord) => string;

const always: Range = { from: -Infinity, before: Infinity };

/** Answers list requests. */
export class Pages {
  readonly #lists: Lists;
  readonly #serialise: Serialise;
  readonly #totals = new Map<string, number>();
  /** The rows of lists that answer for one parent at a time. */
  readonly #byParent = new Map<string, { readonly version: string; readonly rows: Map<string, Row[]> }>();
  constructor(lists: Lists, serialise: Serialise) {
    this.#lists = lists;
    this.#serialise = serialise;
  }

  /** One page as UTF-8 JSON. Throws a 404 if the row of the cursor, or the parent asked for, does not exist. */
  page(list: List, query: Query, key: KeyHolder): Buffer {
    const { endpoint, rows } = list;
    if (endpoint.child && query.asked) return this.#childPage(list, endpoint.child, query.asked, query, key);
    const { pageSize = Infinity, after } = query;
    const start = after === undefined ? undefined : rows.locate(after);
    if (after !== undefined && start === undefined) throw notFound(`no ${list.name} with the id ${after}`);
    this.#requireParent(list, query);

    const matches = this.#matcher(list, query, key);
    const emptied = Object.entries(endpoint.paging?.emptyAbove ?? {}).flatMap(([field, limit]) =>
      pageSize > limit ? [[field, []] as const] : [],
    );
    // Row by row: encoding a whole page at once is slow as soon as it holds one character beyond Latin-1.
    const found: Buffer[] = [];
    let last: Row | undefined;
    rows.scan(query.order, start, query.created, (row) => {
      if (!matches(row)) return true;
      const record = rows.record(row);
      const text = this.#serialise(
        list.name,
        emptied.length === 0 ? record : { ...record, ...Object.fromEntries(emptied) },
      );
      found.push(Buffer.from(found.length === 0 ? text : `,${text}`));
      last = row;
      return found.length < pageSize;
    });

    const around = (end: string) =>
      Buffer.concat([
        Buffer.from(`{${JSON.stringify(endpoint.records)}:[`),
        ...found,
        Buffer.from(`]${end}}`),
      ]);
    if (endpoint.paging === undefined) return around('');
    const meta = {
      // Like the API, a full page names a cursor even if it is the last one; the next page is then empty.
      ...(found.length === pageSize && last !== undefined ? { after: rows.id(last) } : {}),
      page_size: pageSize,
      ...(endpoint.paging.givesTotal ? { total_record_count: this.#total(list, query, key) } : {}),
    };
    return around(`,"pagination_meta":${JSON.stringify(meta)}`);
  }

  /** One page of one parent's rows. */
  #childPage(list: List, child: Child, { values, window }: Asked, query: Query, key: KeyHolder): Buffer {
    const { endpoint, rows } = list;
    this.#requireAsked(list, child, values);
    const mayBeSeen = this.#visibility(list, key);
    const part = window && answeredPart(window);
    const own = this.#rowsOf(list, values).filter((row) => {
      const isInPart = !part || !child.window || overlaps(child.window, rows.record(row), part.from, part.to);
      return isInPart && mayBeSeen(() => rows.facts(row));
    });
    const { after, pageSize = Infinity } = query;
    const start = after === undefined ? 0 : own.findIndex((row) => rows.id(row) === after) + 1;
    if (after !== undefined && start === 0) throw notFound(`no ${list.name} with the id ${after}`);
    const shown = own.slice(start, start + pageSize);
    const found = shown.map((row) => {
      const record = rows.record(row);
      return { record, text: this.#serialise(list.name, sentOf(child, record)) };
    });
    const last = shown.at(-1);
    const meta = {
      ...(part?.next !== undefined && { after: part.next }),
      ...(endpoint.paging && shown.length === pageSize && last !== undefined && { after: rows.id(last) }),
    };
    const hasMeta = endpoint.paging !== undefined || part?.next !== undefined;
    const others = { ...besides(child, found[0]?.record), ...(hasMeta && { pagination_meta: meta }) };
    const rest = Object.entries(others).map(
      ([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    return Buffer.from(`{${JSON.stringify(endpoint.records)}:${wrapped(child, found)}${rest.join('')}}`);
  }

  /** Throws a 404 if there is no such parent. */
  #requireAsked({ name }: List, { declared, parent }: Child, values: Asked['values']): void {
    const [key] = parent.primaryKey;
    const asked = Object.entries(values).map(([column, value]) => [
      declared.columns[column] ?? column,
      value,
    ]);
    const id = asked.find(([column]) => column === key)?.[1];
    const rows = this.#lists.find(parent.name)?.rows;
    const row = id === undefined ? undefined : rows?.locate(id);
    const record = row === undefined ? undefined : rows?.record(row);
    if (!record || asked.some(([column = '', value]) => record[column] !== value)) {
      throw notFound(`${name}: no such ${parent.name}`);
    }
  }

  /** The rows with these values, in order. */
  #rowsOf({ name, rows }: List, values: Asked['values']): readonly Row[] {
    const columns = Object.keys(values);
    const known = this.#byParent.get(name);
    const index =
      known?.version === rows.version ? known : { version: rows.version, rows: new Map<string, Row[]>() };
    if (index !== known) {
      rows.scan('oldest', undefined, always, (row) => {
        const facts = rows.facts(row);
        const of = columns.map((column) => facts.values[column]).join('/');
        index.rows.set(of, [...(index.rows.get(of) ?? []), row]);
        return true;
      });
      this.#byParent.set(name, index);
    }
    return index.rows.get(Object.values(values).join('/')) ?? [];
  }

  /** The JSON text of every row the key may see, including what the endpoint hides by default. */
  *everything(list: List, key: KeyHolder): Generator<string> {
    const { rows } = list;
    const found: Row[] = [];
    const mayBeSeen = this.#visibility(list, key);
    rows.scan('oldest', undefined, always, (row) => {
      if (mayBeSeen(() => rows.facts(row))) found.push(row);
      return true;
    });
    for (const row of found) yield this.#serialise(list.name, rows.record(row));
  }

  /** The values a request may name for a choice, including those that rows of another list brought since. */
  valuesOf({ values, moreFrom }: Choice): readonly string[] {
    const source = moreFrom && this.#lists.find(moreFrom.table);
    if (!source) return values;
    const found = new Set(values);
    source.rows.scan('oldest', undefined, always, (row) => {
      const value = source.rows.record(row)[moreFrom.field];
      if (typeof value === 'string') found.add(value);
      return true;
    });
    return [...found];
  }

  #requireParent({ endpoint: { parent } }: List, { parentId }: Query): void {
    if (parent?.filter !== 'must exist' || parentId === undefined) return;
    if (this.#lists.find(parent.table)?.rows.locate(parentId) === undefined) {
      throw notFound(`no ${parent.table} with the id ${parentId}`);
    }
  }

  #total(list: List, query: Query, key: KeyHolder): number {
    const { name, rows } = list;
    const cached = `${name} ${rows.version} ${isGlobal(key)} ${query.filter}`;
    const known = this.#totals.get(cached);
    if (known !== undefined) return known;
    const matches = this.#matcher(list, query, key);
    let total = 0;
    rows.scan(query.order, undefined, query.created, (row) => {
      if (matches(row)) total++;
      return true;
    });
    this.#totals.set(cached, total);
    return total;
  }

  #matcher(list: List, query: Query, key: KeyHolder): (row: Row) => boolean {
    const { endpoint, rows } = list;
    const mayBeSeen = this.#visibility(list, key);
    const choices = [...query.isChosen];
    const isAsked = (facts: Facts): boolean => {
      if (query.parentId !== undefined && facts.values[endpoint.parent!.column] !== query.parentId)
        return false;
      return choices.every(([choice, isChosen]) => isChosen(this.#valueOf(list, choice, facts)));
    };
    return (row) => {
      // Times first: they are cheap to compare and rule out most rows.
      if (!isUnbounded(query.updated) && !within(query.updated, rows.updated(row))) return false;
      if (!isUnbounded(query.created) && !within(query.created, rows.created(row))) return false;
      let facts: Facts | undefined;
      const read = () => (facts ??= rows.facts(row));
      if (!mayBeSeen(read)) return false;
      return (choices.length === 0 && query.parentId === undefined) || isAsked(read());
    };
  }

  #valueOf(list: List, { param, ofParent, values }: Choice, facts: Facts): string {
    const own = facts.values[param];
    if (own !== undefined) return own;
    return (ofParent && this.#parent(list, facts)?.values[ofParent]) ?? values[0] ?? '';
  }

  /** Without global access, a key does not see private incidents or what belongs to them. */
  #visibility(list: List, key: KeyHolder): (facts: () => Facts) => boolean {
    if (list.endpoint.child) return this.#childVisibility(list, list.endpoint.child, key);
    if (isGlobal(key)) return () => true;
    if (list.name === 'incidents') return (facts) => facts().values['visibility'] !== 'private';
    if (list.endpoint.parent?.table !== 'incidents') return () => true;
    return (facts) => this.#parent(list, facts())?.values['visibility'] !== 'private';
  }

  /** A child is there if its parent is, and if that can have children. */
  #childVisibility(list: List, child: Child, key: KeyHolder): (facts: () => Facts) => boolean {
    const { parent, declared } = child;
    const of = this.#lists.get(parent.name);
    const { by } = parentKeyOf({ ...list.declared, parent: declared }, parent);
    const mayBeSeen = this.#visibility(of, key);
    return (facts) => {
      const id = facts().values[by];
      const row = id === undefined ? undefined : of.rows.locate(id);
      return (
        row !== undefined &&
        canHaveChildren(child, of.rows.record(row)) &&
        mayBeSeen(() => of.rows.facts(row))
      );
    };
  }

  #parent({ endpoint: { parent } }: List, { values }: Facts): Facts | undefined {
    const id = parent && values[parent.column];
    if (id === undefined) return undefined;
    const rows = this.#lists.find(parent!.table)?.rows;
    const row = rows?.locate(id);
    return row === undefined ? undefined : rows?.facts(row);
  }
}

function isGlobal(key: KeyHolder): boolean {
  return key.identity.roles.includes('global_access');
}

function isUnbounded({ from, before }: Range): boolean {
  return from === -Infinity && before === Infinity;
}

function within({ from, before }: Range, moment: number): boolean {
  return moment >= from && moment < before;
}
