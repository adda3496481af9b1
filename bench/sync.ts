import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type SandboxOptions } from '../src/sandbox/sandbox.ts';
import { tableNamed } from '../src/tables/index.ts';
import { connectDevServer } from '../src/temporal/connection.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server-temporary.ts';
import { inputOf } from '../src/temporal/input.ts';
import type { RunOutcome } from '../src/temporal/runs.ts';
import { runId } from '../src/temporal/names.ts';
import { quietRuntime, serveWhile } from '../src/temporal/serve.ts';
import { syncTables } from '../src/temporal/sync-tables.ts';
import { folderStore } from '../src/warehouse/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';

const keyVariable = 'INCIDENT_IO_BENCH_KEY';

export type SyncFigures = {
  readonly outcomes: readonly RunOutcome[];
  /** Events of each table's history. */
  readonly events: { readonly [table: string]: number };
  readonly requests: number;
  /** From the first request to the last one, and from there to the last commit. */
  readonly requestSeconds: number;
  readonly commitSeconds: number;
};

/** Syncs a sandbox of these options on a Temporal server of its own, and counts. */
export async function benchSync(options: SandboxOptions, tables: readonly string[]): Promise<SyncFigures> {
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
      const source = {
        apiKey: { env: keyVariable },
        baseUrl: sandbox.url,
        account: 'unknown',
        giveUpAfterMinutes: 10,
      };
      const outcomes = await syncTables(
        serving,
        destination,
        tables.map((name) => inputOf(tableNamed(name), source)),
        { onStart() {}, onProgress() {}, onOutcome() {}, interrupt: new AbortController().signal },
      );
      const ended = Date.now();
      const events: Record<string, number> = {};
      for (const table of tables) {
        const history = await serving.client.workflow.getHandle(runId(destination, table)).fetchHistory();
        events[table] = history.events?.length ?? 0;
      }
      const at = sandbox.requests.map((request) => request.at);
      const last = Math.max(...at);
      return {
        outcomes,
        events,
        requests: sandbox.requests.length,
        requestSeconds: (last - Math.min(...at)) / 1_000,
        commitSeconds: (ended - last) / 1_000,
      };
    });
  } finally {
    await warehouse.close();
    await access.close();
    await sandbox.stop();
    await rm(destination, { recursive: true, force: true });
  }
}
