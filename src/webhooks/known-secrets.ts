import type { Webhook } from 'standardwebhooks';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import { decoy, mostSecrets, resolveSecrets } from './secrets.ts';

/** A replaced secret takes effect within this time. */
const readAgainMs = 10_000;

/**
 * The signing secrets of all served connections. They are read in the background and all at once, not on request:
 * otherwise the response time would reveal which connections exist.
 */
export class KnownSecrets {
  readonly #connections: () => readonly Settings[];
  readonly #log: Log;
  readonly #decoys = Array.from({ length: mostSecrets }, decoy);
  #known = new Map<string, readonly Webhook[]>();
  /** The largest number of secrets that any connection has. */
  #most = 1;
  /** Connections whose secret cannot be read, and why; each reason is logged once. */
  #missing = new Map<string, string>();
  #readAt = 0;

  constructor(connections: () => readonly Settings[], log: Log) {
    this.#connections = connections;
    this.#log = log;
  }

  /** Reads all secrets. */
  async read(): Promise<void> {
    this.#readAt = Date.now();
    const known = new Map<string, readonly Webhook[]>();
    const missing = new Map<string, string>();
    for (const { connection, webhooks } of this.#connections()) {
      if (!webhooks) continue;
      try {
        known.set(connection, await resolveSecrets(webhooks.secret));
      } catch (error) {
        const { message } = error as Error;
        missing.set(connection, message);
        if (this.#missing.get(connection) === message) continue;
        this.#log('error', 'the webhooks of a connection cannot be checked', { connection, error });
      }
    }
    [this.#known, this.#missing] = [known, missing];
    this.#most = [...known.values()].reduce((most, { length }) => Math.max(most, length), 1);
  }

  /**
   * The secrets to check a delivery with. Random ones are added to a connection's own, so that every check tries the
   * same number of secrets and takes the same time.
   */
  of(settings: Settings | undefined): { readonly known: boolean; readonly checks: readonly Webhook[] } {
    if (Date.now() - this.#readAt > readAgainMs) void this.read();
    const own = settings && this.#known.get(settings.connection);
    return { known: own !== undefined, checks: [...(own ?? []), ...this.#decoys].slice(0, this.#most) };
  }
}
