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
/** Enough for the webhooks that arrive in a storm while the process is busy for a second. */
const mostSockets = 2_000;

const statuses: { readonly [O in DeliveryOutcome]: number } = {
  taken: 204,
  // The sender keeps resending anything that is not answered with 2xx.
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

/** What the receiver asks for and reports to. */
export type ReceiverWorld = {
  /** The settings of a served connection that has webhooks; `undefined` if no such connection has this name. */
  readonly connection: (name: string) => Settings | undefined;
  readonly secrets: KnownSecrets;
  readonly log: Log;
  readonly onDelivery: (outcome: DeliveryOutcome, settings?: Settings) => void;
  /** @param sentAt milliseconds since the epoch */
  readonly onEvent: (settings: Settings, tables: readonly Table[], sentAt: number) => void;
};

/**
 * Receives `POST /webhooks/<connection>` from incident.io at `address` and answers at once: 204 if the delivery is
 * accepted or needs no action, otherwise a status from `statuses`. Throws `UsageError` if it cannot listen there.
 */
export async function serveReceiver(
  address: string,
  world: ReceiverWorld,
): Promise<{ readonly close: () => Promise<void> }> {
  const receiver = new Receiver(world);
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    receiver.take(request, response).catch((error: unknown) => {
      // If the sender disconnected, it sends the message again.
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
      // Requests in progress get this long; the sender repeats those that are cut off.
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
  /** For unknown connections: they cost the same work, so that timing reveals nothing, but nothing is remembered. */
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
    // Do not wait for the rest of a body that is too large.
    response.writeHead(statuses[outcome], isRead ? {} : { connection: 'close' }).end();
  }

  #outcome(settings: Settings | undefined, body: Buffer, headers: SignedHeaders): DeliveryOutcome {
    const { secrets, onEvent } = this.#world;
    // If the connection is unknown or lacks its secret, the signature is still checked, against random secrets.
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
