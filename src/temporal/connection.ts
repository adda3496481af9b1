import type { NativeConnectionOptions } from '@temporalio/worker';
// The package's own entry would load what runs workflows too: 360 modules that no command but a worker needs.
import { NativeConnection } from '@temporalio/worker/lib/connection.js';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { UsageError } from '../errors.ts';
import { type DevServer, useDevServer } from './dev-server/dev-server.ts';
import { defaultStateDir } from './dev-server/folders.ts';
import type { CliOptions } from './dev-server/options.ts';
import { namespaceRefused, unreachable } from './unreachable.ts';

const connectLimitMs = 10_000;

/** A Temporal server and namespace to work with, for clients and workers alike. */
export type TemporalAccess = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly address: string;
  /** Whether it is the embedded server, which ends with its last user. */
  readonly embedded: boolean;
  /** Address of the embedded server's web UI, if it has one. */
  readonly uiAddress: string | undefined;
  /** Starts the embedded server again if it has ended; does nothing for any other server. */
  readonly revive: () => Promise<void>;
  /** Call it when no worker uses the connection any more. Stops the embedded server after its last user. */
  readonly close: () => Promise<void>;
};

/**
 * Connects to the server named by Temporal's own variables or its configuration file (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_PROFILE`, `TEMPORAL_API_KEY`, …); then nothing is started and no state folder is needed. Without an
 * address it connects to the embedded server.
 *
 * Throws `UsageError` if the configuration cannot be read, or names a server without giving its address; and
 * `TemporalUnavailableError` if the server cannot be reached or started, or lacks the namespace.
 */
export async function connectTemporal({ env, report }: CliOptions): Promise<TemporalAccess> {
  const { connectionOptions, namespace } = readConfig(env);
  const { address, ...others } = connectionOptions;
  if (address !== undefined) {
    const connection = await connect(connectionOptions, address, namespace ?? 'default');
    return {
      connection,
      namespace: namespace ?? 'default',
      address,
      embedded: false,
      uiAddress: undefined,
      revive: async () => undefined,
      close: () => connection.close(),
    };
  }

  // A namespace or a key means that the user has a server of their own, which the embedded one cannot replace.
  const given = { ...others, namespace };
  const stray = (['namespace', 'apiKey', 'tls'] as const).filter((name) => given[name]);
  if (stray.length > 0) {
    throw new UsageError(
      `Temporal's configuration gives ${stray.join(', ')}, but no address.`,
      'Set TEMPORAL_ADDRESS, or unset the other TEMPORAL_* variables to use the embedded server.',
    );
  }
  return connectDevServer(await useDevServer({ stateDir: defaultStateDir(env), env, report }));
}

/** Connects to an embedded server. Releases it when the connection is closed or cannot be made. */
export async function connectDevServer(server: DevServer): Promise<TemporalAccess> {
  const { address, uiAddress } = server;
  const namespace = 'default';
  let connection: NativeConnection;
  try {
    connection = await connect({ address }, address, namespace);
  } catch (error) {
    await server.release();
    throw error;
  }
  return {
    connection,
    namespace,
    address,
    embedded: true,
    uiAddress,
    revive: () => server.revive(),
    close: async () => {
      try {
        await connection.close();
      } finally {
        await server.release();
      }
    },
  };
}

function readConfig(env: NodeJS.ProcessEnv): ClientConnectConfig {
  // An empty variable counts as unset, as in a shell.
  const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    throw new UsageError(
      `Cannot read Temporal's configuration: ${error instanceof Error ? error.message : String(error)}`,
      'Correct the TEMPORAL_* variables or the configuration file they name.',
    );
  }
}

async function connect(options: NativeConnectionOptions, address: string, namespace: string) {
  const connecting = NativeConnection.connect(options);
  const limit = new AbortController();
  let connection: NativeConnection;
  try {
    connection = await Promise.race([connecting, rejectAfter(connectLimitMs, limit.signal)]);
  } catch (error) {
    // The attempt cannot be cancelled. If it succeeds later, the connection is no longer needed.
    void connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw unreachable(address, error, Boolean(options.tls));
  } finally {
    limit.abort();
  }
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return connection;
  } catch (error) {
    await connection.close();
    throw namespaceRefused(address, namespace, error);
  }
}

async function rejectAfter(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer for ${ms / 1000} s`)), ms);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
