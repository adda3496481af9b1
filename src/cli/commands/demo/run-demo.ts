import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TableOutcome } from '../../../../workflows/contract.ts';
import type { syncSource } from '../../../../workflows/sync-source.ts';
import { followProgress } from '../../../connections/runs/follow-progress.ts';
import { inputOf } from '../../../connections/runs/input.ts';
import { cancelRun } from '../../../connections/runs/runs.ts';
import { type Sandbox, startSandbox } from '../../../sandbox/sandbox.ts';
import { quietRuntime } from '../../../serving/runtime.ts';
import { serveWhile, type Serving } from '../../../serving/serve.ts';
import { defined } from '../../../defined.ts';
import { defaultTables } from '../../../tables/index.ts';
import { parentAmong } from '../../../tables/parents.ts';
import { connectDevServer } from '../../../temporal/connection.ts';
import { useTemporaryDevServer } from '../../../temporal/dev-server/temporary.ts';
import { tableWorkflowId } from '../../../temporal/names.ts';
import { openDestination } from '../../../warehouse/open-warehouse.ts';
import { destinationOf } from '../../../warehouse/store/destination.ts';
import type { Session } from '../../session.ts';
import { shellWord } from '../../terminal/text.ts';
import { runQuery } from '../query/query.ts';
import { SyncReport } from '../sync/report.ts';
import { questions } from './questions.ts';
import { spanUntilToday } from './span.ts';

/** The environment variable that holds the sandbox's key during the demo; workflows get only its name. */
const keyVariable = 'INCIDENT_IO_SANDBOX_KEY';

/**
 * Syncs a made-up account and asks questions of its tables.
 * @param to the folder or bucket that keeps the tables
 */
export async function runDemo(session: Session, to: string | undefined): Promise<void> {
  const destination =
    to === undefined ? await mkdtemp(join(tmpdir(), 'incident-io-demo-')) : destinationOf(to);
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await startSandbox(spanUntilToday());
    process.env[keyVariable] = sandbox.key;
    await syncAll(session, destination, sandbox.url, to !== undefined);
    session.signal.throwIfAborted();
    if (session.exitCode !== 0) return;
    for (const { question, sql } of questions) {
      session.stdout.write(`\n${question}\n\n`);
      await runQuery(session, destination, sql, 'table');
    }
    session.stdout.write(`\n${whatNext(to)}\n`);
  } finally {
    await sandbox?.stop();
    if (to === undefined) await rm(destination, { recursive: true, force: true });
  }
}

/** The last line is a command to be copied as it is. */
function whatNext(to: string | undefined): string {
  // In a checkout, or when run by npx, the program is not on the path.
  const program = `${process.env['npm_execpath'] === undefined ? '' : 'npx '}incident-io-source`;
  if (to === undefined) return `To keep the tables:\n${program} demo --to ./warehouse`;
  return `To ask a question of your own:\n${program} query "SELECT * FROM incidents LIMIT 5" --from ${shellWord(to)}`;
}

/** Runs the workflow syncSource over the default tables, on a temporary Temporal server. */
async function syncAll(session: Session, destination: string, baseUrl: string, keep: boolean): Promise<void> {
  const report = new SyncReport(session, false);
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
    quietRuntime();
    report.say('Starting a sandbox of the incident.io API and a Temporal server …');
    const access = await connectDevServer(
      await useTemporaryDevServer({ env: process.env, report: (line) => report.say(line) }),
    );
    try {
      const outcomes = await serveWhile({ access, warehouse }, (serving) =>
        importNow(session, serving, report, destination, baseUrl),
      );
      for (const outcome of outcomes) report.ended(outcome);
      report.close(keep ? destination : undefined);
      if (outcomes.some(({ status }) => status === 'failed')) session.exitCode = 1;
    } finally {
      await access.close();
    }
  } finally {
    await warehouse.close();
  }
}

async function importNow(
  { signal }: Session,
  { client, taskQueue }: Serving,
  report: SyncReport,
  destination: string,
  baseUrl: string,
): Promise<readonly TableOutcome[]> {
  const names = new Set(defaultTables.map(({ name }) => name));
  const runs = defaultTables.map((table) => ({
    workflowId: tableWorkflowId(destination, table.name),
    input: inputOf(table, {
      apiKey: { env: keyVariable },
      baseUrl,
      account: 'unknown',
      giveUpAfterMinutes: 1,
    }),
    ...defined({ after: parentAmong(table, names) }),
  }));
  report.begin(runs.length);
  const handle = await client.workflow.start<typeof syncSource>('syncSource', {
    workflowId: tableWorkflowId(destination, 'syncSource'),
    taskQueue,
    args: [{ tables: runs }],
  });
  const done = new AbortController();
  const cancelled = new Promise<void>((resolve, reject) => {
    const cancel = () => void cancelRun(client, handle.workflowId).then(resolve, reject);
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true, signal: done.signal });
  });
  const open = new Set(runs.map(({ workflowId }) => ({ handle: client.workflow.getHandle(workflowId) })));
  const following = followProgress(open, (progress) => report.progressed(progress), done.signal);
  const outcomes = outcomesOf(handle);
  try {
    // The run may have ended while the cancellation is still looking for the execution it continued as.
    return await Promise.race([outcomes, cancelled.then(() => outcomes)]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
    await following;
  }
}

/** All outcomes; if some tables failed, they are in the details of the workflow's failure. */
async function outcomesOf(handle: WorkflowHandle<typeof syncSource>): Promise<readonly TableOutcome[]> {
  try {
    return await handle.result();
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && cause.type === 'TablesFailedError') {
      return cause.details as TableOutcome[];
    }
    throw error;
  }
}
