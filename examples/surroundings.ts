import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { tables } from '../src/tables/index.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';

/** What the example platform lives in. */
export type Surroundings = {
  /** What its user types into the form. */
  readonly apiKey: string;
  /** Of the API; incident.io's own where it is left out. */
  readonly baseUrl?: string;
  /** `host:port` of a Temporal server, with the namespace `default`. */
  readonly temporalAddress: string;
  /** Folder of the tables. */
  readonly destination: string;
  /** Made anew where it is left out. */
  readonly workflowBundle?: WorkflowBundleOption;
  readonly say: (line: string) => void;
};

/**
 * Runs `work` with the account and the server that INCIDENT_IO_API_KEY and TEMPORAL_ADDRESS name; where one is not
 * set, with a sandbox, whose key may not read users, or with a server of its own. Nothing of these is left behind.
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
