import type { Client } from '@temporalio/client';
import { type ConnectionHealth, connectionHealths } from '../../connections/status/connection-health.ts';
import { worstFirst } from '../../connections/status/table-health.ts';
import { defined } from '../../defined.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import type { Source, Sources as SourcesJson } from '../contract/sources.ts';
import { readSettings } from '../../settings/file.ts';
import { scheduledConnection } from '../../temporal/names.ts';
import type { SourceFile, Sources } from '../sources.ts';
import type { Reading } from './topic.ts';

const everyMs = 10_000;
/** Asking about a hundred connections takes seconds, so the pauses are long enough to keep the load negligible. */
const restsAfterWork = 50;
const longestPauseMs = 5 * 60_000;

/** Reads how all connections are doing. */
export async function readSources(client: Client, sources: Sources): Promise<Reading<SourcesJson>> {
  const began = Date.now();
  const files = await sources.all();
  const [healths, running] = await Promise.all([
    connectionHealths(
      files.map(({ file }) => file),
      client,
    ),
    runningByConnection(client),
  ]);
  const listed = await sideBySide(healths, async (health) => ({
    ...sourceJson(files, health, running),
    // The settings were read a moment ago.
    ...(health.connection !== undefined && {
      destination: (await readSettings(health.settings)).destination,
    }),
  }));
  listed.sort(worstFirst);
  return {
    state: { at: new Date().toISOString(), sources: listed },
    nextInMs: Math.min(Math.max(everyMs, restsAfterWork * (Date.now() - began)), longestPauseMs),
  };
}

/** The most that the server lists at once. */
const mostListed = 1_000;

/** How many runs of each connection's schedules are in progress. */
async function runningByConnection(client: Client): Promise<ReadonlyMap<string, number>> {
  const { executions } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    pageSize: mostListed,
    query: 'WorkflowType = "syncTable" AND ExecutionStatus = "Running"',
  });
  const running = new Map<string, number>();
  for (const { execution } of executions) {
    const connection = scheduledConnection(execution?.workflowId ?? '');
    if (connection !== undefined) running.set(connection, (running.get(connection) ?? 0) + 1);
  }
  return running;
}

function sourceJson(
  files: readonly SourceFile[],
  health: ConnectionHealth,
  running: ReadonlyMap<string, number>,
): Source {
  const { settings, connection, state, tables } = health;
  const { id } = files.find(({ file }) => file === settings)!;
  const [worst] = tables;
  const shown = worst && worst.state !== 'current' ? worst : undefined;
  const counts: { [State in typeof state]?: number } = {};
  for (const table of tables) counts[table.state] = (counts[table.state] ?? 0) + 1;
  return {
    id,
    settings,
    state,
    running: running.get(connection ?? '') ?? 0,
    counts,
    ...defined({
      connection,
      worst: shown?.table,
      message: health.message ?? shown?.message,
      advice: health.advice ?? shown?.advice,
    }),
  };
}
