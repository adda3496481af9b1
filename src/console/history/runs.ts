import type { PastRun } from '../../connections/runs/run-history.ts';
import { type History, runHistory } from '../../connections/runs/run-history.ts';
import { defined } from '../../defined.ts';
import { hideSecrets } from '../../secrets.ts';
import { readSettings } from '../../settings/file.ts';
import { tableNamed } from '../../tables/index.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import type { PastRunJson, Runs } from '../contract/runs.ts';
import { failuresJson, problemJson } from '../problem-json.ts';
import type { ConsoleWorld } from '../world.ts';

/** The latest runs of a connection, newest first. */
export async function pastRuns(
  file: string,
  { table, limit }: { readonly table?: string | undefined; readonly limit: number },
  world: ConsoleWorld,
): Promise<Runs> {
  const { runs, unread } = await historyOf(file, table, limit, world);
  return { runs: runs.map((run) => runJson(run, world)), unread: failuresJson(unread) };
}

/** The history as the commands read it. */
export async function historyOf(
  file: string,
  table: string | undefined,
  most: number,
  { client }: ConsoleWorld,
): Promise<History> {
  const settings = await readSettings(file);
  const names = table === undefined ? Object.keys(settings.tables) : [table];
  return withDestination(settings.destination, (warehouse) =>
    runHistory({ client, warehouse, settings, tables: names.map(tableNamed) }, most),
  );
}

function runJson(run: PastRun, { client, temporalUi }: ConsoleWorld): PastRunJson {
  const { id, table, started, ended, outcome, result, failure, workflowId } = run;
  const unavailable = result?.unavailable;
  const problem = failure ?? unavailable;
  return {
    id,
    table,
    outcome: unavailable ? 'not_available' : outcome,
    ...defined({ started, ended }),
    ...(unavailable ? {} : figuresOf(run)),
    notes: (result?.notes ?? []).map(hideSecrets),
    ...(problem && { failure: problemJson(problem) }),
    ...(temporalUi !== undefined &&
      workflowId !== undefined && {
        temporalUrl: `${temporalUi}/namespaces/${client.options.namespace}/workflows/${encodeURIComponent(workflowId)}/${id}/history`,
      }),
  };
}

/** What a run read and changed: from its result, or from its commit if the server has forgotten the result. */
function figuresOf({ result, commit }: PastRun): Partial<PastRunJson> {
  if (!result) {
    const { version, fullRead, rows, inserted, updated, dropped } = commit ?? {};
    return defined({ version, fullRead, rows, inserted, updated, dropped });
  }
  const { fullRead, reason, version, rows, changes, read, seconds, queuedSeconds } = result;
  return {
    fullRead,
    reason,
    version,
    rows,
    seconds,
    read: { rows: read.rows, requests: read.requests, bytes: read.bytes },
    ...defined({
      queuedSeconds,
      inserted: changes?.inserted,
      updated: changes?.updated,
      dropped: changes?.dropped,
    }),
  };
}
