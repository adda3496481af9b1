import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common/lib/errors.js';
import { UsageError } from '../../errors.ts';
import type { TableFailure } from '../../failure.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import type { RunCommit, Warehouse } from '../../warehouse/warehouse.ts';
import { type EndedRun, endOf } from './ended-runs.ts';
import { type Execution, listedExecutions } from './listed-executions.ts';
import { isFailure, perTable } from '../per-table.ts';

/** A run of a table, by the Temporal server, the table's own log, or both. Times are RFC 3339, UTC. */
export type PastRun = Omit<EndedRun, 'workflowId' | 'started' | 'outcome'> & {
  readonly table: string;
  /** The id of the run's first execution, as in logs and in the table's commits. */
  readonly id: string;
  readonly outcome: EndedRun['outcome'] | 'running';
  /** Missing if the server has forgotten the run. */
  readonly workflowId?: string;
  readonly started?: string;
  /** Missing if the run committed nothing, or if the table's log no longer has its commit. */
  readonly commit?: RunCommit;
};

/** What the runs of a connection are read from. */
export type HistorySource = {
  readonly client: Client;
  readonly warehouse: Pick<Warehouse, 'runCommits'>;
  readonly settings: Settings;
  readonly tables: readonly Table[];
};

export type History = {
  /** Newest first. */
  readonly runs: readonly PastRun[];
  /** Tables whose log cannot be read: their runs are those that the server remembers. */
  readonly unread: readonly TableFailure[];
};

/** The latest runs of tables, by their schedules and outside them. */
export async function runHistory(source: HistorySource, most: number): Promise<History> {
  const executions = await listedExecutions(source, most, `AND ExecutionStatus != "ContinuedAsNew"`);
  const remembered = await sideBySide(executions, (execution) => runOf(source.client, execution));
  const { commits, unread } = await committedRuns(source, most);
  const runs = new Map<string, PastRun>();
  // A run that was restarted has several executions, the newest of them first.
  for (const run of remembered) if (run && !runs.has(run.id)) runs.set(run.id, run);
  for (const run of commits) {
    const known = runs.get(run.id);
    runs.set(run.id, known ? { ...known, ...(run.commit && { commit: run.commit }) } : run);
  }
  return { runs: [...runs.values()].sort(newestFirst).slice(0, most), unread };
}

/** How many of the server's runs are searched for an id. */
const mostSearched = 1_000;
/** How many commits of each table are searched for a run that the server has forgotten: each is a file of its own. */
const mostCommitsSearched = 100;

/**
 * One run.
 * @param id its id or the end of it, as `runHistory` gives it, or its workflow id
 *
 * Throws `UsageError` if no run has this id, or if the ids of several runs end in the same way.
 */
export async function findRun(source: HistorySource, id: string): Promise<PastRun> {
  const remembered = await rememberedRuns(source, id);
  const found = remembered.length > 0 ? remembered : await forgottenRuns(source, id);
  const [run, ...others] = found;
  if (!run) {
    throw new UsageError(
      `There is no run ${id} of this connection.`,
      'incident-io-source runs lists those that the Temporal server and the tables still know.',
    );
  }
  if (others.length === 0) return run;
  throw new UsageError(
    `${id} matches several runs: ${found.map((one) => one.id).join(', ')}.`,
    'Give one of these ids.',
  );
}

async function rememberedRuns(source: HistorySource, id: string): Promise<PastRun[]> {
  const { client } = source;
  const all = await listedExecutions(source, mostSearched);
  const runs = new Map<string, PastRun>();
  for (const execution of all) {
    if (execution.workflowId !== id && !execution.runId.endsWith(id)) continue;
    const newest = await newestOf(client, execution, all);
    const run = newest && (await runOf(client, newest));
    if (run) runs.set(run.id, run);
  }
  return [...runs.values()];
}

async function forgottenRuns(source: HistorySource, id: string): Promise<PastRun[]> {
  const { commits } = await committedRuns(source, mostCommitsSearched);
  return commits.filter((run) => run.id.endsWith(id));
}

/** `undefined` if the server has forgotten it in the meantime. */
async function describe(
  client: Client,
  { workflowId, runId }: Execution,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function chainOf({ runId, raw }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}

/** The newest execution of the run that an execution belongs to. */
async function newestOf(
  client: Client,
  execution: Execution,
  all: readonly Execution[],
): Promise<Execution | undefined> {
  const described = await describe(client, execution);
  if (!described) return undefined;
  for (const other of all) {
    if (other.workflowId !== execution.workflowId) continue;
    const newer = await describe(client, other);
    if (newer && chainOf(newer) === chainOf(described)) return other;
  }
  return execution;
}

async function runOf(client: Client, execution: Execution): Promise<PastRun | undefined> {
  const described = await describe(client, execution);
  if (!described) return undefined;
  const { table, workflowId, runId } = execution;
  const { startTime, closeTime, status } = described;
  const first = await describe(client, { ...execution, runId: chainOf(described) });
  const base = {
    table,
    id: chainOf(described),
    workflowId,
    started: (first?.startTime ?? startTime).toISOString(),
  };
  if (status.name === 'RUNNING') return { ...base, outcome: 'running' };
  const end = (await endOf(client, workflowId, runId)) ?? { outcome: 'unknown' };
  return { ...base, ...(closeTime && { ended: closeTime.toISOString() }), ...end };
}

/** Runs as the tables' own logs record them. */
async function committedRuns(
  { warehouse, tables }: HistorySource,
  most: number,
): Promise<{ readonly commits: readonly PastRun[]; readonly unread: readonly TableFailure[] }> {
  const read = await perTable(tables, async (table) => ({
    commits: await warehouse.runCommits(table, most),
  }));
  const commits = read.flatMap((one) => (isFailure(one) ? [] : runsIn(one.table, one.commits)));
  return { commits, unread: read.filter(isFailure) };
}

/** One run per id; one that counted again after its commit has two. */
function runsIn(table: string, commits: readonly RunCommit[]): PastRun[] {
  const runs = new Map<string, RunCommit>();
  for (const commit of commits) {
    const later = runs.get(commit.chainId);
    runs.set(commit.chainId, later ? together(commit, later) : commit);
  }
  return [...runs.values()].map((commit) => ({
    table,
    id: commit.chainId,
    outcome: 'synced',
    ended: new Date(commit.at).toISOString(),
    commit,
  }));
}

function together(first: RunCommit, later: RunCommit): RunCommit {
  return {
    ...later,
    fullRead: first.fullRead,
    inserted: first.inserted + later.inserted,
    updated: first.updated + later.updated,
    dropped: first.dropped + later.dropped,
  };
}

function newestFirst(a: PastRun, b: PastRun): number {
  return timeOf(b) - timeOf(a);
}

function timeOf({ started, ended }: PastRun): number {
  return Date.parse(started ?? ended ?? '');
}
