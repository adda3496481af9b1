import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';
import { tableNamed, tables } from '../src/tables/index.ts';
import { connectDevServer } from '../src/temporal/connection.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { inputOf, type Method } from '../src/connections/runs/input.ts';
import type { RunOutcome } from '../src/connections/runs/runs.ts';
import { tableWorkflowId } from '../src/temporal/names.ts';
import { quietRuntime } from '../src/serving/runtime.ts';
import { serveWhile } from '../src/serving/serve.ts';
import { syncTables } from '../src/connections/runs/sync-tables.ts';
import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';

const keyVariable = 'INCIDENT_IO_BENCH_KEY';

/** Tables to sync, each with a sync method or, if `undefined`, its default. */
export type Asked = { readonly [table: string]: Method | undefined };

/** All incremental tables, by their default incremental field. */
export const changes: Asked = Object.fromEntries(
  tables.flatMap(({ name, incremental }) =>
    incremental ? [[name, { syncMethod: 'incremental', incrementalField: incremental.by[0] }]] : [],
  ),
);

export type SyncFigures = {
  readonly outcomes: readonly Extract<RunOutcome, { status: 'synced' }>[];
  /** The number of events in the history of each table's run. */
  readonly events: { readonly [table: string]: number };
  /** The number of requests for each path. */
  readonly requests: { readonly [path: string]: number };
  /** From the first request to the last, and from the last request to the last commit. */
  readonly requestSeconds: number;
  readonly commitSeconds: number;
};

/**
 * Syncs a sandbox several times in succession, on its own Temporal server, and measures each sync.
 * @param look inspects the tables at the end, before they are deleted
 */
export async function benchSyncs(
  options: SandboxOptions,
  syncs: readonly Asked[],
  look?: (destination: string) => Promise<void>,
): Promise<SyncFigures[]> {
  const destination = await mkdtemp(join(tmpdir(), 'bench-sync-'));
  const sandbox = await startSandbox(options);
  process.env[keyVariable] = sandbox.key;
  quietRuntime();
  const access = await connectDevServer(
    await useTemporaryDevServer({ env: process.env, report: console.error }),
  );
  const warehouse = await openWarehouse(folderStore(destination), { destination });
  try {
    return await serveWhile({ access, warehouse }, async (serving) => {
      const figures: SyncFigures[] = [];
      for (const asked of syncs) figures.push(await oneSync(sandbox, destination, serving, asked));
      await look?.(destination);
      return figures;
    });
  } finally {
    await warehouse.close();
    await access.close();
    await sandbox.stop();
    await rm(destination, { recursive: true, force: true });
  }
}

async function oneSync(
  sandbox: Sandbox,
  destination: string,
  serving: Parameters<typeof syncTables>[0],
  asked: Asked,
): Promise<SyncFigures> {
  const before = sandbox.requests.length;
  const source = {
    apiKey: { env: keyVariable },
    baseUrl: sandbox.url,
    account: 'unknown',
    giveUpAfterMinutes: 10,
  };
  const outcomes = await syncTables(
    serving,
    destination,
    Object.entries(asked).map(([name, method]) => inputOf(tableNamed(name), source, method)),
    { onStart() {}, onProgress() {}, onOutcome() {}, interrupt: new AbortController().signal },
  );
  const ended = Date.now();
  const synced = allSynced(outcomes);
  const events: Record<string, number> = {};
  for (const table of Object.keys(asked)) {
    const history = await serving.client.workflow
      .getHandle(tableWorkflowId(destination, table))
      .fetchHistory();
    events[table] = history.events?.length ?? 0;
  }
  const sent = sandbox.requests.slice(before);
  const requests: Record<string, number> = {};
  for (const { url } of sent) {
    const { pathname } = new URL(url, sandbox.url);
    requests[pathname] = (requests[pathname] ?? 0) + 1;
  }
  const at = sent.map((request) => request.at);
  const last = Math.max(...at);
  return {
    outcomes: synced,
    events,
    requests,
    requestSeconds: (last - Math.min(...at)) / 1_000,
    commitSeconds: (ended - last) / 1_000,
  };
}

/** The same outcomes; throws if a table was not synced. */
export function allSynced(outcomes: readonly RunOutcome[]): SyncFigures['outcomes'] {
  const synced = outcomes.filter((outcome) => outcome.status === 'synced');
  if (synced.length < outcomes.length) throw new Error(`not all were synced: ${JSON.stringify(outcomes)}`);
  return synced;
}

/** The number of requests, over all paths. */
export function requestsOf({ requests }: Pick<SyncFigures, 'requests'>): number {
  return Object.values(requests).reduce((total, count) => total + count, 0);
}
