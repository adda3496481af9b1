import type { Client } from '@temporalio/client';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import type { Sources } from './sources.ts';

/** What the console works with. */
export type ConsoleWorld = {
  readonly client: Client;
  readonly sources: Sources;
  readonly log: Log;
  /** Aborted when the console stops. */
  readonly signal: AbortSignal;
  /** The web UI of the Temporal server, if it has one that is known. */
  readonly temporalUi: string | undefined;
  /** An invented account to try linking with, as in the demo. */
  readonly sandbox: { readonly baseUrl: string; readonly key: string } | undefined;
  /**
   * Serves the runs of a connection that was just linked, if this process is a worker; `undefined` if it is none.
   * Does nothing if the queue is served already.
   */
  readonly serve: ((settings: Settings) => Promise<void>) | undefined;
};
