import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TableOutcome } from '../../../../workflows/contract.ts';
import type { syncSource } from '../../../../workflows/sync-source.ts';
import { sandboxTables, startSandbox } from '../../../sandbox/sandbox.ts';
import { tableNamed } from '../../../tables/index.ts';
import { connectDevServer } from '../../../temporal/connection.ts';
import { useTemporaryDevServer } from '../../../temporal/dev-server/temporary.ts';
import { inputOf } from '../../../connections/input.ts';
import { tableWorkflowId } from '../../../temporal/names.ts';
import { quietRuntime } from '../../../serving/runtime.ts';
import { serveWhile, type Serving } from '../../../serving/serve.ts';
import { cancelRun } from '../../../connections/runs.ts';
import { watch } from '../../../connections/sync-tables.ts';
import { destinationOf } from '../../../warehouse/store/destination.ts';
import { openDestination } from '../../../warehouse/open-warehouse.ts';
import { questions } from './questions.ts';
import { runQuery } from '../query.ts';
import type { Session } from '../../session.ts';
import { SyncReport } from '../sync/report.ts';

/** Where the sandbox's key is while the demo lasts; workflows carry this name. */
const keyVariable = 'INCIDENT_IO_SANDBOX_KEY';

/** Syncs an invented account and asks its tables; `to` is the folder or bucket that keeps them. */
export async function runDemo(session: Session, to: string | undefined): Promise<void> {
  const destination =
    to === undefined ? await mkdtemp(join(tmpdir(), 'incident-io-demo-')) : destinationOf(to);
  const sandbox = await startSandbox();
  process.env[keyVariable] = sandbox.key;
  try {
    await syncAll(session, destination, sandbox.url, to !== undefined);
    session.signal.throwIfAborted();
    if (session.exitCode !== 0) return;
    for (const { question, sql } of questions) {
      session.stdout.write(`\n${question}\n\n`);
      await runQuery(session, destination, sql);
    }
    if (to === undefined) session.stdout.write('\nKeep the tables with --to <folder>.\n');
  } finally {
    await sandbox.stop();
    if (to === undefined) await rm(destination, { recursive: true, force: true });
  }
}

/** Runs the workflow syncSource over all tables, on a Temporal server of its own. */
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
  session: Session,
  { client, taskQueue }: Serving,
  report: SyncReport,
  destination: string,
  baseUrl: string,
): Promise<readonly TableOutcome[]> {
  const runs = sandboxTables.map((name) => ({
    workflowId: tableWorkflowId(destination, name),
    input: inputOf(tableNamed(name), {
      apiKey: { env: keyVariable },
      baseUrl,
      account: 'unknown',
      giveUpAfterMinutes: 1,
    }),
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
    if (session.signal.aborted) cancel();
    else session.signal.addEventListener('abort', cancel, { once: true, signal: done.signal });
  });
  const going = new Set(runs.map(({ workflowId }) => ({ handle: client.workflow.getHandle(workflowId) })));
  const watching = watch(going, (progress) => report.progressed(progress), done.signal);
  const outcomes = outcomesOf(handle);
  try {
    // The run may have ended while the cancellation still looks for what it goes on as.
    return await Promise.race([outcomes, cancelled.then(() => outcomes)]);
  } catch (error) {
    session.signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
    await watching;
  }
}

/** All outcomes, also where some failed: then they are the failure's details. */
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
