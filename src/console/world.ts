import type { Client } from '@temporalio/client';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import type { Sources } from './sources.ts';

/** What the console needs from its process. */
export type ConsoleWorld = {
  readonly client: Client;
  readonly sources: Sources;
  readonly log: Log;
  /** Aborted when the console stops. */
  readonly signal: AbortSignal;
  /** The address of the Temporal server's web UI, if it is known. */
  readonly temporalUi: string | undefined;
  /** An invented account to try linking with, as in the demo. */
  readonly sandbox: { readonly baseUrl: string; readonly key: string } | undefined;
  /**
   * Serves the runs of a connection that was just linked; `undefined` if this process is not a worker. Does nothing if
   * the queue is already served.
   */
  readonly serve: ((settings: Settings) => Promise<void>) | undefined;
};
