import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { tables } from '../src/tables/index.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';

/** What the example platform needs around it. */
export type Surroundings = {
  /** The API key that the user types into the form. */
  readonly apiKey: string;
  /** Another address of the API, such as a sandbox. If left out, incident.io itself. */
  readonly baseUrl?: string;
  /** `host:port` of a Temporal server that has the namespace `default`. */
  readonly temporalAddress: string;
  /** The folder for the tables. */
  readonly destination: string;
  /** A workflow bundle that is already built; if left out, the worker builds one when it starts. */
  readonly workflowBundle?: WorkflowBundleOption;
  readonly say: (line: string) => void;
};

/**
 * Runs `work` with the account of INCIDENT_IO_API_KEY and the Temporal server at TEMPORAL_ADDRESS. If the key is not
 * set, starts a sandbox with a key that may not read users, so that the example shows a failure too. If the address is
 * not set, starts a Temporal server. Stops and deletes all that it started in the end.
 */
export async function inSurroundings(
  env: NodeJS.ProcessEnv,
  work: (surroundings: Surroundings) => Promise<unknown>,
): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    let { INCIDENT_IO_API_KEY: apiKey, TEMPORAL_ADDRESS: temporalAddress } = env;
    let baseUrl: string | undefined;
    if (!apiKey) {
      const sandbox = await startSandbox();
      undo.push(() => sandbox.stop());
      baseUrl = sandbox.url;
      apiKey = sandbox.addKey({
        scopes: tables.flatMap(({ scope }) => (scope === undefined || scope === 'users.view' ? [] : [scope])),
      });
    }
    if (!temporalAddress) {
      const server = await useTemporaryDevServer({ env, report: console.error });
      undo.push(() => server.release());
      temporalAddress = server.address;
    }
    const destination = await mkdtemp(join(tmpdir(), 'incident-io-platform-'));
    undo.push(() => rm(destination, { recursive: true, force: true }));
    await work({
      apiKey,
      ...(baseUrl !== undefined && { baseUrl }),
      temporalAddress,
      destination,
      say: console.log,
    });
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
