import { Keys, requireScope, type Identity, type KeyHolder, type KeyOptions } from './auth.ts';
import { tables as declaredTables } from '../tables/index.ts';
import type { Table } from '../tables/table.ts';
import { Buckets, realLimits, type Limits } from './buckets.ts';
import { createSources } from './data/sources.ts';
import type { ApiRecord, Sizes, Span } from './data/source.ts';
import { commonFaults, Faults, type FaultRule, type SandboxRequest } from './faults.ts';
import { parseQuery, type Readings } from './filters.ts';
import { Lists } from './lists.ts';
import { Pages } from './pages.ts';
import { notFound } from './problems.ts';
import { SandboxServer, type LoggedRequest } from './server.ts';
import { sizesOf } from './sizes.ts';
import { WebhookSender, type WebhookTarget } from './webhooks.ts';

export { realLimits, type Limits } from './buckets.ts';
export { sandboxSizes } from './sizes.ts';
export type { Identity, KeyOptions } from './auth.ts';
export type { ApiRecord, Sizes } from './data/source.ts';
export type { AnswerRule, Fault, FaultRule, RowRule, SandboxRequest } from './faults.ts';
export type { LoggedRequest } from './server.ts';
export { sandboxSecret, type WebhookTarget } from './webhooks.ts';

/** Changes a record before it is sent. A text is sent as it is, in place of the record's JSON. */
export type Transform = (record: ApiRecord, table: string) => ApiRecord | string;

/** The tables that a sandbox serves by default: all declared ones. */
export const sandboxTables: readonly string[] = declaredTables.map(({ name }) => name);

export type SandboxOptions = {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The same seed, sizes, `since` and `until` give the same account, byte for byte. */
  readonly seed?: number;
  /** The tables to serve, from their declarations; all declared ones if left out. */
  readonly tables?: readonly Table[];
  /** How many rows each table has; as in `sandboxSizes.demo` if left out. */
  readonly sizes?: Sizes;
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
  /** The declarations of the tables it serves. */
  readonly tables: readonly Table[];
  /** Milliseconds before each response. A change takes effect with the next request. */
  latencyMs: number;
  transform: Transform | undefined;
  /** Called before each request is answered, to change the account while it is being read. */
  beforeAnswer: ((request: SandboxRequest) => void) | undefined;
  /** Its clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Every row that a key may see, as it is served, including rows that the API hides by default. */
  records(table: string, key?: string): Iterable<ApiRecord>;
  /** The id by which the sandbox knows a record: the values of its key, with slashes between them. */
  idOf(table: string, record: ApiRecord): string;
  /** The id of the nth generated row, oldest first (in their own order for the short lists and incident_updates). */
  idAt(table: string, index: number): string;
  /** The id of the existing row at this share of the table, 0 to below 1; `undefined` if the table is empty. */
  idAtShare(table: string, share: number): string | undefined;
  /** Merges a patch into a row and stamps its `updated_at`, unless the patch holds one. */
  change(
    table: string,
    id: string,
    patch: ApiRecord | ((record: ApiRecord) => ApiRecord),
    options?: ChangeOptions,
  ): ApiRecord;
  /** Adds a row. Fields that are not in the patch are generated. */
  create(table: string, patch?: ApiRecord, options?: ChangeOptions): ApiRecord;
  /** Deletes a row for good. */
  remove(table: string, id: string): void;
  /** Adds a rule after the existing ones. Returns a function that removes it. */
  fault(rule: FaultRule): () => void;
  addKey(options?: KeyOptions): string;
  revokeKey(key: string): void;
  setScopes(key: string, scopes: readonly string[]): void;
  setIdentity(identity: Partial<Identity>, key?: string): void;
  /** From now on, what `change`, `create` and `remove` do is sent there, signed, as incident.io does. */
  sendWebhooks(target: WebhookTarget): WebhookSender;
  stop(): Promise<void>;
};

/**
 * Starts a stand-in for the incident.io API with invented data, on 127.0.0.1. Throws a RangeError if the options
 * contradict each other.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, now = Date.now, port = 0, tables = declaredTables, limits = realLimits } = options;
  const sizeOf = sizesOf(tables, options.sizes ?? {});
  const faults = new Faults(seed);
  const rules = typeof options.faults === 'number' ? commonFaults(options.faults) : (options.faults ?? []);
  for (const rule of rules) faults.add(rule);
  const lists = new Lists(tables, createSources(seed, sizeOf, spanOf(options), tables), faults, now);
  const keys = new Keys(() => {
    if (limits === 'off') return undefined;
    return new Buckets(limits.all, new Map([...lists.ownLimits(), ['/v2/incidents', limits.incidents]]), now);
  });
  const pages = new Pages(lists, (table, record) => {
    const sent = sandbox.transform?.(record, table) ?? record;
    return typeof sent === 'string' ? sent : JSON.stringify(sent);
  });
  const readings: Readings = { dateZone: 'Z', order: 'oldest', ...options.readings };
  const bodyFor = (request: SandboxRequest, key: KeyHolder): Buffer => {
    if (request.path === '/v1/identity') return Buffer.from(JSON.stringify({ identity: key.identity }));
    const found = lists.at(request.path);
    if (found === undefined) throw notFound(`there is nothing at ${request.path}`);
    const { list, placeholders } = found;
    const { endpoint } = list;
    if (endpoint.scope !== undefined) requireScope(key, endpoint.scope);
    const query = parseQuery(endpoint, request.params, readings, placeholders, (choice) =>
      pages.valuesOf(choice),
    );
    return pages.page(list, query, key);
  };
  const server = new SandboxServer({ now, keys, faults, lists, bodyFor });
  const rows = (table: string) => lists.get(table).rows;
  let sender: WebhookSender | undefined;

  const sandbox: Sandbox = {
    url: '',
    key: keys.add({ key: 'sandbox-key', ...options.key }),
    requests: server.requests,
    tables,
    latencyMs: options.latencyMs ?? 0,
    transform: options.transform,
    beforeAnswer: undefined,
    now,
    *records(table, key = sandbox.key) {
      for (const text of pages.everything(lists.get(table), keys.get(key))) {
        yield JSON.parse(text) as ApiRecord;
      }
    },
    idOf: (table, record) => rows(table).idOf(record),
    idAt: (table, index) => rows(table).idAt(index),
    idAtShare: (table, share) => rows(table).idAtShare(share),
    change(table, id, patch, { stampedAgoMs = 0 } = {}) {
      let before: ApiRecord | undefined;
      const noticed = (record: ApiRecord) => {
        before = record;
        return typeof patch === 'function' ? patch(record) : patch;
      };
      const after = rows(table).change(id, noticed, stampedAgoMs);
      sender?.happened(table, { ...(before && { before }), after });
      return after;
    },
    create(table, patch = {}, { stampedAgoMs = 0 } = {}) {
      const after = rows(table).create(patch, stampedAgoMs);
      sender?.happened(table, { after });
      return after;
    },
    remove(table, id) {
      const row = rows(table).locate(id);
      const before = row === undefined ? {} : rows(table).record(row);
      rows(table).remove(id);
      sender?.happened(table, { before });
    },
    fault: (rule) => faults.add(rule),
    addKey: (added = {}) => keys.add(added),
    revokeKey: (key) => keys.revoke(key),
    setScopes: (key, scopes) => keys.setScopes(key, scopes),
    setIdentity: (identity, key = sandbox.key) => keys.setIdentity(key, identity),
    sendWebhooks: (target) => (sender = new WebhookSender(target)),
    async stop() {
      await sender?.stop();
      await server.stop();
    },
  };
  return Object.assign(sandbox, { url: await server.listen(port, sandbox) });
}

function spanOf({ since = '2024-01-01T00:00:00Z', until = '2026-11-01T00:00:00Z' }: SandboxOptions): Span {
  const span = { since: Date.parse(since), until: Date.parse(until) };
  if (!(span.since < span.until)) throw new RangeError('the data must begin before it ends');
  return span;
}
