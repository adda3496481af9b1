import { createClient } from '../../../incident-io/client.ts';
import { readIdentity } from '../../../incident-io/identity.ts';
import { type KeyReference, resolveKey } from '../../../settings/key.ts';
import { tables } from '../../../tables/index.ts';
import type { Table } from '../../../tables/table.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import { inputOf, type Method } from '../../../connections/input.ts';
import { openTables } from '../../../connections/runs.ts';
import { quietRuntime } from '../../../serving/runtime.ts';
import { serveWhile } from '../../../serving/serve.ts';
import { syncTables } from '../../../connections/sync-tables.ts';
import { assertSameAccount } from '../../../warehouse/commit/account.ts';
import { openDestination } from '../../../warehouse/open-warehouse.ts';
import { InterruptedError } from '../../terminal/interrupted.ts';
import type { Session } from '../../session.ts';
import { SyncReport } from './report.ts';

/** What `sync` was asked for, checked as far as it can be without a look at the outside. */
export type SyncRequest = {
  readonly tables: readonly { readonly table: Table; readonly method: Method }[];
  /** Absolute. */
  readonly destination: string;
  readonly baseUrl: string;
  readonly apiKey: KeyReference;
  readonly giveUpAfterMinutes: number;
  readonly json: boolean;
};

/** Runs the tables on a worker of its own and reports. The key and the destination are checked before a server starts. */
export async function runSync(session: Session, request: SyncRequest): Promise<void> {
  const { destination, baseUrl, apiKey, giveUpAfterMinutes } = request;
  const client = createClient({ apiKey: await resolveKey(apiKey), baseUrl });
  const { account } = await readIdentity(client, { signal: session.signal });
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
    for (const { table } of request.tables) {
      assertSameAccount(destination, table.name, await warehouse.readState(table), account);
    }
    const source = { apiKey, baseUrl, account, giveUpAfterMinutes };
    const inputs = request.tables.map(({ table, method }) => inputOf(table, source, method));
    quietRuntime();
    const report = new SyncReport(session, request.json);
    const tellDiscarded = () =>
      report.say('Cancels its runs: what they have read and not committed is discarded.');
    session.signal.addEventListener('abort', tellDiscarded, { once: true });
    const access = await connectTemporal({ env: process.env, report: (line) => report.say(line) });
    try {
      const outcomes = await serveWhile({ access, warehouse }, async (serving) => {
        const names = new Set(inputs.map(({ run }) => run.table));
        const others = tables.map(({ name }) => name).filter((name) => !names.has(name));
        const open = await openTables(serving.client, destination, others);
        if (open.length > 0) report.say(`The open runs of ${open.join(', ')} stay open.`);
        return syncTables(serving, destination, inputs, {
          onStart: (runs) => report.started(runs),
          onProgress: (progress) => report.progressed(progress),
          onOutcome: (outcome) => report.ended(outcome),
          interrupt: session.signal,
        });
      });
      report.close(destination);
      if (session.signal.aborted) throw new InterruptedError();
      if (outcomes.some(({ status }) => status !== 'synced')) session.exitCode = 1;
    } finally {
      await access.close();
    }
  } finally {
    await warehouse.close();
  }
}
