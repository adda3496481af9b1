import { NativeConnection } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { TemporalUnavailableError, UsageError } from '../errors.ts';
import type { CliOptions } from './dev-server/cli-binary.ts';
import { defaultStateDir, useDevServer } from './dev-server/dev-server.ts';
import type { DevServer } from './dev-server/dev-server.ts';

const connectLimitMs = 10_000;

/** A Temporal server and namespace to work with, for clients and workers alike. */
export type TemporalAccess = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly address: string;
  /** Whether it is the embedded server, which ends with its last user. */
  readonly embedded: boolean;
  /** Of the embedded server's web UI, where it has one. */
  readonly uiAddress: string | undefined;
  /** To be called when no worker uses the connection any more; stops the embedded server after its last user. */
  readonly close: () => Promise<void>;
};

/**
 * Connects to the server that Temporal's own variables or its configuration file name (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_PROFILE`, `TEMPORAL_API_KEY`, …), and nothing is started; without an address, to the embedded server.
 *
 * @throws {UsageError} The configuration cannot be read, or speaks of a server without giving its address.
 * @throws {TemporalUnavailableError} The server cannot be reached or started, or lacks the namespace.
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
      close: () => connection.close(),
    };
  }

  // Whoever names a namespace or a key means a server of theirs, and would look in vain in an embedded one.
  const given = { ...others, namespace };
  const stray = (['namespace', 'apiKey', 'tls'] as const).filter((name) => given[name]);
  if (stray.length > 0) {
    throw new UsageError(
      `Temporal's configuration gives ${stray.join(', ')} and no address.`,
      'Set TEMPORAL_ADDRESS, or unset the other TEMPORAL_* variables to use the embedded server.',
    );
  }
  return connectDevServer(await useDevServer({ stateDir: defaultStateDir(env), env, report }));
}

/** Connects to an embedded server, which is released when the connection is closed or cannot be made. */
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
  // An empty variable is as good as none, as in a shell.
  const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    throw new UsageError(
      `Temporal's configuration cannot be read: ${messageOf(error)}`,
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
    // The attempt cannot be cancelled; a connection that comes after all is of no use to anyone.
    void connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw new TemporalUnavailableError(
      `No Temporal server answers at ${address}: ${innermost(messageOf(error))}`,
      'Check TEMPORAL_ADDRESS, the network and, for TLS, the certificates; without an address an embedded server is used.',
      { cause: error },
    );
  } finally {
    limit.abort();
  }
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return connection;
  } catch (error) {
    await connection.close();
    throw new TemporalUnavailableError(
      `The Temporal server at ${address} does not give access to namespace ${namespace}: ${messageOf(error)}`,
      'Check TEMPORAL_NAMESPACE and the permissions of TEMPORAL_API_KEY or of the client certificate.',
      { cause: error },
    );
  }
}

/** Of the nested errors that Temporal's native client prints in Rust's own form, the message that people know. */
function innermost(text: string): string {
  return [...text.matchAll(/"([^"]+)"/g)].at(-1)?.[1] ?? text;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function rejectAfter(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer for ${ms / 1000} s`)), ms);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
