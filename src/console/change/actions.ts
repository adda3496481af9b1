import { isFailure, type PerTable } from '../../connections/per-table.ts';
import { assertOnThisHost, resyncTables } from '../../connections/resync.ts';
import { cancelTables } from '../../connections/runs/cancel.ts';
import { pauseTables, resumeTables } from '../../connections/schedule/pause.ts';
import { scheduledTables } from '../../connections/schedule/schedule-lookup.ts';
import { type Triggered, triggerTables } from '../../connections/schedule/trigger.ts';
import { filesOf, unlinkConnection } from '../../connections/unlink.ts';
import { UsageError } from '../../errors.ts';
import { readSettings } from '../../settings/file.ts';
import type { Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import type { Table } from '../../tables/table.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import type { ActionOutcome, ActionPreview, ActionRequest } from '../contract/sources.ts';
import type { ConsoleWorld } from '../world.ts';
import { failuresJson } from '../problem-json.ts';

/** Describes in words what an action would do. */
export async function previewAction(file: string, request: ActionRequest): Promise<ActionPreview> {
  const settings = await readSettings(file);
  const { action } = request;
  const tables = chosenTables(file, settings, request).map(({ name }) => name);
  const which = tables.length === 1 ? tables[0]! : `${tables.length} tables`;
  const { destination, connection } = settings;
  const said: { readonly [Name in typeof action]: Pick<ActionPreview, 'what' | 'careful' | 'files'> } = {
    trigger: {
      what: `Syncs ${which} now. If a run is in progress, another one follows it.`,
      careful: false,
    },
    pause: {
      what: `Starts no further runs of ${which} until you resume. A run in progress finishes, and sync now still works.`,
      careful: false,
    },
    resume: { what: `Lets the schedules of ${which} start runs again.`, careful: false },
    resync: {
      what: `Reads ${which} from scratch, ignoring earlier syncs. The rows stay until the new ones are complete.`,
      careful: true,
    },
    cancel: {
      what: `Cancels the runs in progress of ${which} and deletes what they have read. The rows of earlier runs stay, and the schedules continue.`,
      careful: true,
    },
    unlink: {
      what: `Ends the connection ${connection}: deletes its schedules, its runs and these files. The tables in ${destination} stay.`,
      careful: true,
      files: filesOf(file, settings),
    },
  };
  return { action, tables, ...said[action] };
}

/** Carries out an action, in the same way as the command of that name. */
export async function act(file: string, request: ActionRequest, world: ConsoleWorld): Promise<ActionOutcome> {
  const settings = await readSettings(file);
  const tables = chosenTables(file, settings, request);
  const { client, signal } = world;
  switch (request.action) {
    case 'trigger':
      return outcomesOf(await triggerTables(client, settings, tables), ({ triggered }) => begun[triggered]);
    case 'pause': {
      const note = request.note ?? 'paused in the console';
      return outcomesOf(await pauseTables(client, settings, tables, note), () => 'paused');
    }
    case 'resume':
      return outcomesOf(await resumeTables(client, settings, tables), () => 'resumed');
    case 'resync':
      return resync(settings, tables, world);
    case 'cancel': {
      const cancelled = await cancelTables(client, settings, tables, signal);
      return outcomesOf(cancelled, ({ ended, unanswered }) => {
        if (unanswered.length > 0) return 'asked to stop, but no worker is responding';
        return ended.length > 0 ? 'cancelled' : 'no run was in progress';
      });
    }
    case 'unlink': {
      const ended = await withDestination(settings.destination, (warehouse) =>
        unlinkConnection({ client, warehouse, signal }, file, settings),
      );
      return {
        outcomes: ended.map((table) => ({ table, done: 'its schedule is deleted; the table stays' })),
      };
    }
  }
}

const begun: { readonly [How in Triggered]: string } = {
  started: 'started',
  buffered: 'starts when the run in progress has ended',
  buffered_before: 'was already waiting for the run in progress to end',
};

async function resync(
  settings: Settings,
  tables: readonly Table[],
  { client }: ConsoleWorld,
): Promise<ActionOutcome> {
  const schedules = await scheduledTables(client, settings, tables);
  assertOnThisHost(settings.destination, schedules);
  return outcomesOf(
    await withDestination(settings.destination, (warehouse) =>
      resyncTables({ client, warehouse }, schedules),
    ),
    () => 'is being read from scratch',
  );
}

function outcomesOf<Done extends object>(
  outcomes: readonly PerTable<Done>[],
  sentence: (done: Done) => string,
): ActionOutcome {
  return {
    outcomes: outcomes.map((outcome) =>
      isFailure(outcome) ? failuresJson([outcome])[0]! : { table: outcome.table, done: sentence(outcome) },
    ),
  };
}

/** Throws `UsageError` for a table that the settings do not have. */
function chosenTables(file: string, { tables }: Settings, { action, tables: named }: ActionRequest): Table[] {
  if (named === undefined || action === 'unlink') return Object.keys(tables).map(tableNamed);
  return [...new Set(named)].map((name) => {
    if (name in tables) return tableNamed(name);
    throw new UsageError(`${file} has no table ${name}.`, `It has ${Object.keys(tables).join(', ')}.`);
  });
}
