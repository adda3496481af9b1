import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyHolder, Keys } from './auth.ts';
import type { Fault, Faults, SandboxRequest } from './faults.ts';
import type { Lists } from './lists.ts';
import { Problem, tooManyRequests } from './problems.ts';
import { send, spoil, type Answer } from './spoil.ts';

/** One request and how it was answered; `status` is `undefined` while it is open, and 0 after a reset. */
export type LoggedRequest = {
  /** By the sandbox's clock. */
  readonly at: number;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly table: string | undefined;
  readonly fault: Fault['kind'] | undefined;
  readonly status: number | undefined;
};

/** What a server answers with. */
export type Backend = {
  readonly now: () => number;
  readonly keys: Keys;
  readonly faults: Faults;
  readonly lists: Lists;
  /** The JSON for a request. Throws a Problem if the API would answer with an error. */
  readonly bodyFor: (request: SandboxRequest, key: KeyHolder) => Buffer;
};

/** What tests and commands may change while the server runs. */
export type Behaviour = {
  readonly latencyMs: number;
  readonly beforeAnswer: ((request: SandboxRequest) => void) | undefined;
};

/** The HTTP side of the sandbox, on 127.0.0.1. Keeps a log of all requests. */
export class SandboxServer {
  readonly requests: { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] }[] = [];
  readonly #backend: Backend;
  readonly #server = createServer();

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Starts to listen; returns the base URL. Port 0 takes any free one. */
  async listen(port: number, behaviour: Behaviour): Promise<string> {
    const server = this.#server;
    server.on('request', (incoming, response) => {
      // A bug in the sandbox must not look like a fault of the API: cut the request and crash the process.
      this.#serve(incoming, response, behaviour).catch((error: unknown) => {
        response.destroy();
        server.emit('error', error);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.close((error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
      this.#server.closeAllConnections();
    });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse, behaviour: Behaviour): Promise<void> {
    const { now, keys, faults, lists, bodyFor } = this.#backend;
    const { method = '', url = '/' } = incoming;
    const { pathname: path, searchParams: params } = new URL(url, 'http://127.0.0.1');
    const list = lists.at(path)?.list;
    const table = list?.name;
    const request: SandboxRequest = { path, params, table };
    const entry: (typeof this.requests)[number] = {
      at: now(),
      method,
      url,
      table,
      fault: undefined,
      status: undefined,
    };
    this.requests.push(entry);
    const requestId = `sandbox-${this.requests.length}`;
    const answer: Answer = {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.alloc(0),
    };
    let fault: Fault | undefined;
    try {
      const key = keys.authenticate(incoming.headers.authorization);
      const grant = key.buckets?.take(path);
      Object.assign(answer.headers, grant?.headers);
      if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
      if (grant?.isGranted === false) throw tooManyRequests(grant.limit, grant.retryAt);
      fault = faults.next(request);
      if (method !== 'GET') {
        throw new Problem(405, 'method_not_allowed', 'method_not_allowed', `${method} is not served`);
      }
      behaviour.beforeAnswer?.(request);
      answer.body = bodyFor(request, key);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      answer.status = error.status;
      answer.body = Buffer.from(error.body(requestId));
    }
    answer.headers['Date'] = new Date(now()).toUTCString();
    const sent = fault ? spoil(answer, fault, { request, requestId, list, now: now() }) : answer;
    entry.fault = fault?.kind;
    entry.status = fault?.kind === 'reset' ? 0 : sent.status;
    send(response, sent, fault);
  }
}
