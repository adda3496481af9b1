import { assertOwnTables } from '../../../connections/account.ts';
import { inputOf, type Method } from '../../../connections/runs/input.ts';
import type { RunOutcome } from '../../../connections/runs/runs.ts';
import { openTables } from '../../../connections/runs/start-run.ts';
import { syncTables } from '../../../connections/runs/sync-tables.ts';
import { createClient } from '../../../incident-io/client.ts';
import { readIdentity } from '../../../incident-io/identity.ts';
import { quietRuntime } from '../../../serving/runtime.ts';
import { serveWhile, type Serving } from '../../../serving/serve.ts';
import { whileWatchingServer } from '../../../serving/watches.ts';
import { type KeyReference, resolveKey } from '../../../settings/key.ts';
import { tables } from '../../../tables/index.ts';
import type { Table } from '../../../tables/table.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import { openDestination } from '../../../warehouse/open-warehouse.ts';
import type { Warehouse } from '../../../warehouse/warehouse.ts';
import type { Session } from '../../session.ts';
import { InterruptedError } from '../../terminal/interrupted.ts';
import { SyncReport } from './report.ts';

/** What `sync` was asked for, checked as far as possible without a request to any server. */
export type SyncRequest = {
  readonly tables: readonly { readonly table: Table; readonly method: Method }[];
  /** Absolute. */
  readonly destination: string;
  readonly baseUrl: string;
  readonly apiKey: KeyReference;
  readonly giveUpAfterMinutes: number;
  readonly json: boolean;
};

/**
 * Runs the tables on this process's own worker and reports. The key and the destination are checked before a server is
 * started. A table that cannot be read fails alone.
 */
export async function runSync(session: Session, request: SyncRequest): Promise<void> {
  const { destination, baseUrl, apiKey } = request;
  const client = createClient({ apiKey: await resolveKey(apiKey), baseUrl });
  const { account } = await readIdentity(client, { signal: session.signal });
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
    const asked = request.tables.map(({ table }) => table);
    const unreadable = await assertOwnTables(warehouse, asked, account);
    const failed = unreadable.map((failure): RunOutcome => ({ status: 'failed', ...failure }));
    const report = new SyncReport(session, request.json);
    report.begin(asked.length);
    for (const outcome of failed) report.ended(outcome);
    const isUnreadable = new Set(unreadable.map(({ table }) => table));
    const readable = request.tables.filter(({ table }) => !isUnreadable.has(table.name));
    const outcomes =
      readable.length === 0
        ? []
        : await syncReadable(session, { ...request, tables: readable }, account, warehouse, report);
    // Asked before the report is printed: a reader that closes the pipe aborts the signal too, but interrupts no run.
    const isInterrupted = session.signal.aborted;
    report.close(destination);
    if (isInterrupted) throw new InterruptedError();
    if ([...failed, ...outcomes].some(({ status }) => status !== 'synced')) session.exitCode = 1;
  } finally {
    await warehouse.close();
  }
}

async function syncReadable(
  { signal }: Session,
  request: SyncRequest,
  account: string,
  warehouse: Warehouse,
  report: SyncReport,
): Promise<RunOutcome[]> {
  const { apiKey, baseUrl, giveUpAfterMinutes } = request;
  const source = { apiKey, baseUrl, account, giveUpAfterMinutes };
  const inputs = request.tables.map(({ table, method }) => inputOf(table, source, method));
  quietRuntime();
  const sayCancelling = () => report.say('Cancelling the runs; rows that are not committed are discarded.');
  signal.addEventListener('abort', sayCancelling, { once: true });
  const say = (line: string) => report.say(line);
  const access = await connectTemporal({ env: process.env, report: say });
  // The same patience as with a table: while the Temporal server is away, no table makes progress.
  const patience = { ms: giveUpAfterMinutes * 60_000, signal };
  try {
    return await serveWhile({ access, warehouse, patience }, (serving) =>
      whileWatchingServer(access, say, async () => {
        await sayWhatStaysOpen(serving, request, report);
        return syncTables(serving, request.destination, inputs, {
          onStart: (runs) => report.started(runs),
          onProgress: (progress) => report.progressed(progress),
          onOutcome: (outcome) => report.ended(outcome),
          interrupt: signal,
        });
      }),
    );
  } finally {
    signal.removeEventListener('abort', sayCancelling);
    await access.close();
  }
}

async function sayWhatStaysOpen(
  { client }: Serving,
  { tables: asked, destination }: SyncRequest,
  report: SyncReport,
): Promise<void> {
  const names = new Set(asked.map(({ table }) => table.name));
  const others = tables.map(({ name }) => name).filter((name) => !names.has(name));
  const open = await openTables(client, destination, others);
  if (open.length > 0) report.say(`Runs of other tables stay open: ${open.join(', ')}.`);
}
