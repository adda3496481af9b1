import type { KeyHolder } from './auth.ts';
import type { ApiRecord, Facts } from './data/source.ts';
import { endpoints, type Endpoint, type SandboxTable } from './endpoints.ts';
import type { Query, Range } from './filters.ts';
import { notFound } from './problems.ts';
import type { Row, Rows } from './rows.ts';

/** Turns a record into the JSON text that is sent. */
export type Serialise = (table: SandboxTable, record: ApiRecord) => string;

type Tables = Record<SandboxTable, Rows>;

const knownCategories = [
  'triage',
  'live',
  'learning',
  'paused',
  'closed',
  'declined',
  'canceled',
  'merged',
] as const;

/** The categories a request may name: the API's own, and those of statuses that were created since. */
export function statusCategories(tables: Tables): string[] {
  const found = new Set<string>(knownCategories);
  const { incident_statuses: statuses } = tables;
  statuses.scan('oldest', undefined, { from: -Infinity, before: Infinity }, (row) => {
    const { category } = statuses.record(row);
    if (typeof category === 'string') found.add(category);
    return true;
  });
  return [...found];
}

/** Answers list requests. */
export class Pages {
  readonly #tables: Tables;
  readonly #serialise: Serialise;
  readonly #totals = new Map<string, number>();
  constructor(tables: Tables, serialise: Serialise) {
    this.#tables = tables;
    this.#serialise = serialise;
  }

  /**
   * One page as UTF-8 JSON. Throws a 404 if the cursor's row, or the incident that was asked for, does not exist.
   */
  page(table: SandboxTable, query: Query, key: KeyHolder): Buffer {
    const endpoint: Endpoint = endpoints[table];
    const rows = this.#tables[table];
    const { pageSize = Infinity, after } = query;
    const start = after === undefined ? undefined : rows.locate(after);
    if (after !== undefined && start === undefined) throw notFound(`no ${table} with the id ${after}`);
    if (
      table === 'incident_updates' &&
      query.incidentId !== undefined &&
      this.#tables.incidents.locate(query.incidentId) === undefined
    ) {
      throw notFound(`no incident with the id ${query.incidentId}`);
    }

    const matches = this.#matcher(table, query, key);
    // Row by row: encoding a whole page at once is slow as soon as it holds one character beyond Latin-1.
    const found: Buffer[] = [];
    let last: Row | undefined;
    rows.scan(query.order, start, query.created, (row) => {
      if (!matches(row)) return true;
      const text = this.#serialise(table, trimmed(table, rows.record(row), pageSize));
      found.push(Buffer.from(found.length === 0 ? text : `,${text}`));
      last = row;
      return found.length < pageSize;
    });

    const around = (end: string) =>
      Buffer.concat([Buffer.from(`{"${table}":[`), ...found, Buffer.from(`]${end}}`)]);
    if (endpoint.paging === undefined) return around('');
    const meta = {
      // Like the API, a full page names a cursor even if it is the last one; the next page is then empty.
      ...(found.length === pageSize && last !== undefined ? { after: rows.id(last) } : {}),
      page_size: pageSize,
      ...(endpoint.paging.givesTotal ? { total_record_count: this.#total(table, query, key) } : {}),
    };
    return around(`,"pagination_meta":${JSON.stringify(meta)}`);
  }

  /** The JSON text of every row the key may see, including what the endpoint hides by default. */
  *everything(table: SandboxTable, key: KeyHolder): Generator<string> {
    const rows = this.#tables[table];
    const found: Row[] = [];
    const mayBeSeen = this.#visibility(table, key);
    rows.scan('oldest', undefined, { from: -Infinity, before: Infinity }, (row) => {
      if (mayBeSeen(() => rows.facts(row))) found.push(row);
      return true;
    });
    for (const row of found) yield this.#serialise(table, rows.record(row));
  }

  #total(table: SandboxTable, query: Query, key: KeyHolder): number {
    const rows = this.#tables[table];
    const name = `${table} ${rows.version} ${isGlobal(key)} ${query.filter}`;
    const known = this.#totals.get(name);
    if (known !== undefined) return known;
    const matches = this.#matcher(table, query, key);
    let total = 0;
    rows.scan(query.order, undefined, query.created, (row) => {
      if (matches(row)) total++;
      return true;
    });
    this.#totals.set(name, total);
    return total;
  }

  #matcher(table: SandboxTable, query: Query, key: KeyHolder): (row: Row) => boolean {
    const rows = this.#tables[table];
    const mayBeSeen = this.#visibility(table, key);
    const { oneOf, notIn } = query.categories;
    const isAsked = (facts: Facts): boolean => {
      const { mode = '', category = '', incidentId } = facts;
      if (table === 'users') return query.includesInactive || facts.isActive === true;
      if (table === 'incidents') {
        return query.modes.has(mode) && oneOf?.has(category) !== false && notIn?.has(category) !== true;
      }
      if (query.incidentId !== undefined && query.incidentId !== incidentId) return false;
      if (table !== 'follow_ups') return true;
      return query.modes.has(facts.mode ?? this.#incident(facts)?.mode ?? 'standard');
    };
    return (row) => {
      // Times first: they are cheap to compare and rule out most rows.
      if (!isUnbounded(query.updated) && !within(query.updated, rows.updated(row))) return false;
      if (!isUnbounded(query.created) && !within(query.created, rows.created(row))) return false;
      let facts: Facts | undefined;
      const read = () => (facts ??= rows.facts(row));
      return mayBeSeen(read) && (endpoints[table].parameters.length === 0 || isAsked(read()));
    };
  }

  /** Without global access, a key does not see private incidents or what belongs to them. */
  #visibility(table: SandboxTable, key: KeyHolder): (facts: () => Facts) => boolean {
    if (isGlobal(key)) return () => true;
    if (table === 'incidents') return (facts) => facts().isPrivate !== true;
    if (table === 'incident_updates' || table === 'follow_ups') {
      return (facts) => this.#incident(facts())?.isPrivate !== true;
    }
    return () => true;
  }

  #incident({ incidentId }: Facts): Facts | undefined {
    if (incidentId === undefined) return undefined;
    const { incidents } = this.#tables;
    const row = incidents.locate(incidentId);
    return row === undefined ? undefined : incidents.facts(row);
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

/** Like the API, leaves `next_shifts` empty on pages of more than 25. */
function trimmed(table: SandboxTable, record: ApiRecord, pageSize: number): ApiRecord {
  return table === 'schedules' && pageSize > 25 ? { ...record, next_shifts: [] } : record;
}
