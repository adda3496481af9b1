import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keys, requireScope, type Identity, type KeyHolder, type KeyOptions } from './auth.ts';
import { realLimits, type Limits } from './buckets.ts';
import { createSources } from './data/sources.ts';
import type { ApiRecord, Sizes } from './data/source.ts';
import { endpoints, sandboxTables, type SandboxTable } from './endpoints.ts';
import {
  commonFaults,
  Faults,
  requestOf,
  send,
  spoil,
  type Answer,
  type Fault,
  type FaultRule,
  type SandboxRequest,
} from './faults.ts';
import { parseQuery, type Readings } from './filters.ts';
import { Pages, statusCategories } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import { Rows } from './rows.ts';

export { sandboxTables, type SandboxTable } from './endpoints.ts';
export { realLimits, type Limits } from './buckets.ts';
export type { Identity, KeyOptions } from './auth.ts';
export type { ApiRecord, Sizes } from './data/source.ts';
export type { Fault, FaultRule, SandboxRequest } from './faults.ts';

/** Ready-made amounts of data. */
export const sandboxSizes = {
  /** Made up and read within seconds; the default. */
  demo: {
    incidents: 3000,
    incident_updates: 6000,
    follow_ups: 1500,
    alerts: 8000,
    escalations: 1000,
    users: 150,
    schedules: 12,
  },
  /** A large account's first sync. */
  benchmark: {
    incidents: 30_000,
    incident_updates: 60_000,
    follow_ups: 15_000,
    alerts: 100_000,
    escalations: 10_000,
    users: 1500,
    schedules: 60,
  },
  /** An account on its first day: only the lists every account has. */
  empty: {
    incidents: 0,
    incident_updates: 0,
    follow_ups: 0,
    alerts: 0,
    escalations: 0,
    users: 0,
    schedules: 0,
  },
} as const satisfies Record<string, Sizes>;

/** A record on its way out: given back changed, or as the JSON text to send in its place. */
export type Transform = (record: ApiRecord, table: SandboxTable) => ApiRecord | string;

export type SandboxOptions = {
  /** 0, the default, for any free one. */
  readonly port?: number;
  /** The same seed, sizes and span make the same account, byte for byte. */
  readonly seed?: number;
  /** Rows a table, in place of the demo's. */
  readonly sizes?: Partial<Sizes>;
  /** When the made-up data begins and ends, as dates the engine reads. */
  readonly since?: string;
  readonly until?: string;
  /** Milliseconds since the epoch. Stamps changes, fills token buckets and is told in `Date`. */
  readonly now?: () => number;
  readonly key?: KeyOptions;
  readonly limits?: Limits | 'off';
  readonly latencyMs?: number;
  /** Rules, or the share of requests that fail in common ways. */
  readonly faults?: number | readonly FaultRule[];
  readonly transform?: Transform;
  /** What is documented nowhere; UTC and oldest first where it is left out. */
  readonly readings?: Partial<Readings>;
};

/** One request as it was answered; `status` is `undefined` while it is open, and 0 after a reset. */
export type LoggedRequest = {
  /** By the sandbox's clock. */
  readonly at: number;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly table: SandboxTable | undefined;
  readonly fault: Fault['kind'] | undefined;
  readonly status: number | undefined;
};

export type ChangeOptions = {
  /** Stamps the row this long before now, as a transaction does that commits late. */
  readonly stampedAgoMs?: number;
};

export type Sandbox = {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** A key that may see everything. */
  readonly key: string;
  readonly requests: readonly LoggedRequest[];
  /** Milliseconds before every answer; takes effect at once. */
  latencyMs: number;
  transform: Transform | undefined;
  /** Called before each request is answered, as something that happens to the account meanwhile. */
  beforeAnswer: ((request: SandboxRequest) => void) | undefined;
  /** Its clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Everything a key may see, as served, the rows hidden by default too. */
  records(table: SandboxTable, key?: string): Iterable<ApiRecord>;
  /** The id of the nth made-up row, oldest first (the lists and incident_updates: in their order). */
  idAt(table: SandboxTable, index: number): string;
  /** The id of a row that is there, at a share of the table in [0, 1); `undefined` where there is none. */
  idAtShare(table: SandboxTable, share: number): string | undefined;
  /** Merges a patch into a row and stamps its `updated_at`, unless the patch holds one. */
  change(
    table: SandboxTable,
    id: string,
    patch: ApiRecord | ((record: ApiRecord) => ApiRecord),
    options?: ChangeOptions,
  ): ApiRecord;
  /** A new row, made up where the patch says nothing. */
  create(table: SandboxTable, patch?: ApiRecord, options?: ChangeOptions): ApiRecord;
  /** Deletes a row for good. */
  remove(table: SandboxTable, id: string): void;
  /** Adds a rule behind those there are; the result takes it back. */
  fault(rule: FaultRule): () => void;
  addKey(options?: KeyOptions): string;
  revokeKey(key: string): void;
  setScopes(key: string, scopes: readonly string[]): void;
  setIdentity(identity: Partial<Identity>, key?: string): void;
  stop(): Promise<void>;
};

/**
 * Starts a stand-in for the incident.io API with invented data on 127.0.0.1.
 * @throws RangeError for options that contradict each other.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = 1, now = Date.now, port = 0 } = options;
  const sizes = { ...sandboxSizes.demo, ...options.sizes };
  const span = {
    since: Date.parse(options.since ?? '2024-01-01T00:00:00Z'),
    until: Date.parse(options.until ?? '2026-11-01T00:00:00Z'),
  };
  if (!(span.since < span.until)) throw new RangeError('the data must begin before it ends');
  const odd = Object.entries(sizes).find(([, size]) => !Number.isSafeInteger(size) || size < 0);
  if (odd !== undefined) throw new RangeError(`the size of ${odd[0]} must be a whole number from 0 on`);

  const sources = createSources(seed, sizes, span);
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
  const log: { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] }[] = [];

  const answer = (request: SandboxRequest, key: KeyHolder): Buffer => {
    if (request.path === '/v1/identity') return Buffer.from(JSON.stringify({ identity: key.identity }));
    const { table } = request;
    if (table === undefined) throw notFound(`there is nothing at ${request.path}`);
    requireScope(key, endpoints[table].scope);
    return pages.page(
      table,
      parseQuery(endpoints[table], request.params, readings, () => statusCategories(tables)),
      key,
    );
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '/' } = incoming;
    const request = requestOf(url);
    const entry: (typeof log)[number] = {
      at: now(),
      method,
      url,
      table: request.table,
      fault: undefined,
      status: undefined,
    };
    log.push(entry);
    const requestId = `sandbox-${log.length}`;
    let fault: Fault | undefined;
    const good: Answer = {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.alloc(0),
    };
    try {
      const key = keys.authenticate(incoming.headers.authorization);
      const allowance = key.buckets?.take(request.path);
      good.headers = { ...good.headers, ...allowance?.headers };
      if (sandbox.latencyMs > 0) await sleep(sandbox.latencyMs);
      if (allowance?.isGranted === false) {
        const problem = new Problem(
          429,
          'too_many_requests',
          'too_many_requests',
          'Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.',
        );
        good.status = problem.status;
        good.body = Buffer.from(
          problem.body(requestId, {
            name: 'api_key_name',
            limit: allowance.limit,
            remaining: 0,
            retry_after: new Date(allowance.retryAt).toISOString(),
          }),
        );
      } else {
        fault = faults.next(request);
        if (method !== 'GET') {
          throw new Problem(405, 'method_not_allowed', 'method_not_allowed', `${method} is not served`);
        }
        sandbox.beforeAnswer?.(request);
        good.body = answer(request, key);
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      good.status = error.status;
      good.body = Buffer.from(error.body(requestId));
    }
    good.headers['Date'] = new Date(now()).toUTCString();
    const sent = fault === undefined ? good : spoil(good, fault, request, requestId);
    entry.fault = fault?.kind;
    entry.status = fault?.kind === 'reset' ? 0 : sent.status;
    send(response, sent, fault);
  };

  const server = createServer((incoming, response) => {
    // A bug in here must not look like a fault of the API: the request is cut and the process told.
    serve(incoming, response).catch((error: unknown) => {
      response.destroy();
      server.emit('error', error);
    });
  });
  server.keepAliveTimeout = 60_000;

  const sandbox: Sandbox = {
    url: '',
    key: keys.add({ key: 'sandbox-key', ...options.key }),
    requests: log,
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
    remove: (table, id) => {
      tables[table].remove(id);
    },
    fault: (rule) => faults.add(rule),
    addKey: (added = {}) => keys.add(added),
    revokeKey: (key) => {
      keys.revoke(key);
    },
    setScopes: (key, scopes) => {
      keys.get(key).scopes = scopes;
    },
    setIdentity: (identity, key = sandbox.key) => {
      const holder = keys.get(key);
      holder.identity = { ...holder.identity, ...identity };
    },
    stop: async () => {
      await new Promise<void>((resolve, reject) => {
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      });
    },
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return Object.assign(sandbox, { url: `http://127.0.0.1:${address.port}` });
}
