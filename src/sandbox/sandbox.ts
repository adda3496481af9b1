import { Keys, requireScope, type Identity, type KeyHolder, type KeyOptions } from './auth.ts';
import { realLimits, type Limits } from './buckets.ts';
import { createSources } from './data/sources.ts';
import type { ApiRecord, Sizes, Span } from './data/source.ts';
import { endpoints, sandboxTables, type SandboxTable } from './endpoints.ts';
import { commonFaults, Faults, type FaultRule, type SandboxRequest } from './faults.ts';
import { parseQuery, type Readings } from './filters.ts';
import { Pages, statusCategories } from './pages.ts';
import { notFound } from './problems.ts';
import { Rows } from './rows.ts';
import { SandboxServer, type LoggedRequest } from './server.ts';
import { sandboxSizes } from './sizes.ts';

export { sandboxTables, type SandboxTable } from './endpoints.ts';
export { realLimits, type Limits } from './buckets.ts';
export { sandboxSizes } from './sizes.ts';
export type { Identity, KeyOptions } from './auth.ts';
export type { ApiRecord, Sizes } from './data/source.ts';
export type { Fault, FaultRule, SandboxRequest } from './faults.ts';
export type { LoggedRequest } from './server.ts';

/** Changes a record before it is sent. A text is sent as it is, in place of the record's JSON. */
export type Transform = (record: ApiRecord, table: SandboxTable) => ApiRecord | string;

export type SandboxOptions = {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The same seed, sizes, `since` and `until` give the same account, byte for byte. */
  readonly seed?: number;
  /** How many rows each table has; those of `sandboxSizes.demo` if left out. */
  readonly sizes?: Partial<Sizes>;
  /** When the generated data begins and ends, as dates that `Date.parse` understands. */
  readonly since?: string;
  readonly until?: string;
  /** Milliseconds since the epoch. This clock stamps changes, refills the rate limits and sets the `Date` header. */
  readonly now?: () => number;
  readonly key?: KeyOptions;
  readonly limits?: Limits | 'off';
  readonly latencyMs?: number;
  /** Rules, or the share of requests that fail with faults that pass on their own. */
  readonly faults?: number | readonly FaultRule[];
  readonly transform?: Transform;
  /** How to read what the vendor does not document. By default, UTC and oldest first. */
  readonly readings?: Partial<Readings>;
};

export type ChangeOptions = {
  /** Stamps the row this long before now, like a transaction that commits late. */
  readonly stampedAgoMs?: number;
};

export type Sandbox = {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** A key that may see everything, unless `options.key` restricts it. */
  readonly key: string;
  readonly requests: readonly LoggedRequest[];
  /** Milliseconds before each response. A change takes effect with the next request. */
  latencyMs: number;
  transform: Transform | undefined;
  /** Called before each request is answered, to change the account while it is being read. */
  beforeAnswer: ((request: SandboxRequest) => void) | undefined;
  /** Its clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Every row that a key may see, as it is served, including rows that the API hides by default. */
  records(table: SandboxTable, key?: string): Iterable<ApiRecord>;
  /** The id of the nth generated row, oldest first (in their own order for the short lists and incident_updates). */
  idAt(table: SandboxTable, index: number): string;
  /** The id of the existing row at this share of the table, 0 to below 1; `undefined` if the table is empty. */
  idAtShare(table: SandboxTable, share: number): string | undefined;
  /** Merges a patch into a row and stamps its `updated_at`, unless the patch holds one. */
  change(
    table: SandboxTable,
    id: string,
    patch: ApiRecord | ((record: ApiRecord) => ApiRecord),
    options?: ChangeOptions,
  ): ApiRecord;
  /** Adds a row. Fields that are not in the patch are generated. */
  create(table: SandboxTable, patch?: ApiRecord, options?: ChangeOptions): ApiRecord;
  /** Deletes a row for good. */
  remove(table: SandboxTable, id: string): void;
  /** Adds a rule after the existing ones. Returns a function that removes it. */
  fault(rule: FaultRule): () => void;
  addKey(options?: KeyOptions): string;
  revokeKey(key: string): void;
  setScopes(key: string, scopes: readonly string[]): void;
  setIdentity(identity: Partial<Identity>, key?: string): void;
  stop(): Promise<void>;
};

/**
 * Starts a stand-in for the incident.io API with invented data, on 127.0.0.1. Throws a RangeError if the options
 * contradict each other.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, now = Date.now, port = 0 } = options;
  const sizes = sizesOf(options);
  const sources = createSources(seed, sizes, spanOf(options));
  const tables = Object.fromEntries(
    sandboxTables.map((table) => [table, new Rows(sources[table], now)]),
  ) as Record<SandboxTable, Rows>;
  const keys = new Keys(options.limits ?? realLimits, now);
  const faults = new Faults(seed);
  const rules = typeof options.faults === 'number' ? commonFaults(options.faults) : (options.faults ?? []);
  for (const rule of rules) faults.add(rule);
  const pages = new Pages(tables, (table, record) => {
    const sent = sandbox.transform?.(record, table) ?? record;
    return typeof sent === 'string' ? sent : JSON.stringify(sent);
  });
  const readings: Readings = { dateZone: 'Z', order: 'oldest', ...options.readings };
  const bodyFor = (request: SandboxRequest, key: KeyHolder): Buffer => {
    if (request.path === '/v1/identity') return Buffer.from(JSON.stringify({ identity: key.identity }));
    const { table } = request;
    if (table === undefined) throw notFound(`there is nothing at ${request.path}`);
    requireScope(key, endpoints[table].scope);
    const categories = () => statusCategories(tables);
    return pages.page(table, parseQuery(endpoints[table], request.params, readings, categories), key);
  };
  const server = new SandboxServer({ now, keys, faults, bodyFor });

  const sandbox: Sandbox = {
    url: '',
    key: keys.add({ key: 'sandbox-key', ...options.key }),
    requests: server.requests,
    latencyMs: options.latencyMs ?? 0,
    transform: options.transform,
    beforeAnswer: undefined,
    now,
    *records(table, key = sandbox.key) {
      for (const text of pages.everything(table, keys.get(key))) yield JSON.parse(text) as ApiRecord;
    },
    idAt: (table, index) => tables[table].idAt(index),
    idAtShare: (table, share) => tables[table].idAtShare(share),
    change: (table, id, patch, { stampedAgoMs = 0 } = {}) => tables[table].change(id, patch, stampedAgoMs),
    create: (table, patch = {}, { stampedAgoMs = 0 } = {}) => tables[table].create(patch, stampedAgoMs),
    remove: (table, id) => tables[table].remove(id),
    fault: (rule) => faults.add(rule),
    addKey: (added = {}) => keys.add(added),
    revokeKey: (key) => keys.revoke(key),
    setScopes: (key, scopes) => keys.setScopes(key, scopes),
    setIdentity: (identity, key = sandbox.key) => keys.setIdentity(key, identity),
    stop: () => server.stop(),
  };
  return Object.assign(sandbox, { url: await server.listen(port, sandbox) });
}

function sizesOf(options: SandboxOptions): Sizes {
  const sizes = { ...sandboxSizes.demo, ...options.sizes };
  const wrong = Object.entries(sizes).find(([, size]) => !Number.isSafeInteger(size) || size < 0);
  if (wrong) throw new RangeError(`the size of ${wrong[0]} must be a whole number, 0 or more`);
  return sizes;
}

function spanOf({ since = '2024-01-01T00:00:00Z', until = '2026-11-01T00:00:00Z' }: SandboxOptions): Span {
  const span = { since: Date.parse(since), until: Date.parse(until) };
  if (!(span.since < span.until)) throw new RangeError('the data must begin before it ends');
  return span;
}
