import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { serveAt } from '../listen.ts';
import type { Settings } from '../settings/settings.ts';
import type { Log } from '../serving/logs.ts';
import { tablesOfEvent } from '../tables/events.ts';
import type { Table } from '../tables/table.ts';
import { Bodies, eventTypeOf } from './body.ts';
import { Deliveries, sentAtSeconds, type SignedHeaders } from './deliveries.ts';
import type { DeliveryOutcome } from './hint-figures.ts';
import type { KnownSecrets } from './known-secrets.ts';

/** The sender waits 15 s for an answer. */
const requestTimeoutMs = 10_000;
/** A process that is busy for a second has to answer those of a storm after it. */
const mostSockets = 2_000;

const statuses: { readonly [O in DeliveryOutcome]: number } = {
  taken: 204,
  // The sender would go on sending what is not answered with 2xx.
  resent: 204,
  no_table: 204,
  unknown_event: 204,
  unknown_connection: 404,
  no_secret: 503,
  badly_signed: 401,
  old: 401,
  replayed: 409,
  not_json: 400,
  too_large: 413,
  busy: 503,
};

/** What the receiver asks and tells. */
export type ReceiverWorld = {
  /** The settings of a connection that is served and has webhooks; `undefined` if there is none of this name. */
  readonly connection: (name: string) => Settings | undefined;
  readonly secrets: KnownSecrets;
  readonly log: Log;
  readonly onDelivery: (outcome: DeliveryOutcome, settings?: Settings) => void;
  /** @param sentAt milliseconds since the epoch */
  readonly onEvent: (settings: Settings, tables: readonly Table[], sentAt: number) => void;
};

/**
 * Takes `POST /webhooks/<connection>`, as incident.io sends it, at `address`, and answers at once: 204 for what is
 * taken or needs nothing, otherwise a status of `statuses`. Throws `UsageError` if nothing can listen there.
 */
export async function serveReceiver(
  address: string,
  world: ReceiverWorld,
): Promise<{ readonly close: () => Promise<void> }> {
  const receiver = new Receiver(world);
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    receiver.take(request, response).catch((error: unknown) => {
      // A sender that has gone away sends the message again.
      if (!request.destroyed) world.log('error', 'a webhook was not received', { error });
      response.destroy();
    });
  });
  server.maxConnections = mostSockets;
  const advice = 'Give an address of this machine and a free port, such as 127.0.0.1:8090.';
  await serveAt(server, address, 'take webhooks', advice);
  return {
    close: async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      server.closeIdleConnections();
      // Those that are being received have this long; the sender sends them again.
      const late = setTimeout(() => server.closeAllConnections(), 1_000);
      await closed;
      clearTimeout(late);
    },
  };
}

class Receiver {
  readonly #world: ReceiverWorld;
  readonly #bodies = new Bodies();
  readonly #deliveries = new Map<string, Deliveries>();
  /** Of connections that there are not: the same work is done for them, and nothing is remembered. */
  readonly #noConnection = new Deliveries();
  readonly #unknownEvents = new Set<string>();

  constructor(world: ReceiverWorld) {
    this.#world = world;
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?');
    const name = /^\/webhooks\/([^/]+)$/.exec(path)?.[1];
    if (name === undefined || request.method !== 'POST') {
      response.writeHead(name === undefined ? 404 : 405, name === undefined ? {} : { allow: 'POST' }).end();
      return;
    }
    const body = await this.#bodies.read(request);
    const settings = this.#world.connection(name);
    const isRead = typeof body !== 'string';
    const outcome = isRead ? this.#outcome(settings, body, request.headers as SignedHeaders) : body;
    this.#world.onDelivery(outcome, settings);
    // What has not been read of a large body is not waited for.
    response.writeHead(statuses[outcome], isRead ? {} : { connection: 'close' }).end();
  }

  #outcome(settings: Settings | undefined, body: Buffer, headers: SignedHeaders): DeliveryOutcome {
    const { secrets, onEvent } = this.#world;
    // For a connection that is unknown or lacks its secret, the same is done with secrets that nobody has.
    const { known, checks } = secrets.of(settings);
    const verdict = this.#deliveriesTo(settings).take(body, headers, checks);
    if (!settings) return 'unknown_connection';
    if (!known) return 'no_secret';
    if (verdict === 'badly_signed' || verdict === 'old' || verdict === 'replayed') return verdict;
    const type = eventTypeOf(body);
    if (type === undefined) return 'not_json';
    if (verdict === 'resent') return verdict;
    const concerned = tablesOfEvent(type);
    if (!concerned) return this.#unknown(type);
    const own = concerned.filter((table) => table.name in settings.tables);
    if (own.length === 0) return 'no_table';
    onEvent(settings, own, sentAtSeconds(headers) * 1_000);
    return 'taken';
  }

  #deliveriesTo(settings: Settings | undefined): Deliveries {
    if (!settings) return this.#noConnection;
    const known = this.#deliveries.get(settings.connection) ?? new Deliveries();
    this.#deliveries.set(settings.connection, known);
    return known;
  }

  /** The vendor adds events without notice; each is logged once. */
  #unknown(type: string): DeliveryOutcome {
    if (this.#unknownEvents.size < 100 && !this.#unknownEvents.has(type)) {
      this.#unknownEvents.add(type);
      this.#world.log('warn', 'a webhook has an event that this version does not know', { event: type });
    }
    return 'unknown_event';
  }
}
