import type { Client, ScheduleDescription } from '@temporalio/client';
import { ScheduleAlreadyRunning } from '@temporalio/client/lib/schedule-client.js';
import type { SyncTableInput } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { UsageError } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { tables } from '../tables/index.ts';
import { scheduleId, tableWorkflowId } from '../temporal/names.ts';
import { sideBySide } from '../warehouse/side-by-side.ts';
import { cancelTable } from './runs/cancel.ts';
import { type Difference, differencesBetween } from './schedule/schedule-differences.ts';
import { describeSchedule } from './schedule/schedule-lookup.ts';
import { type DesiredSchedule, desiredSchedules, withAccount } from './schedule/schedule-options.ts';
import { assertSameConnection, foreignSchedule, ownerOf } from './schedule/schedule-owner.ts';

/** What happens to a table's schedule. */
export type TableChange = { readonly table: string } & (
  | { readonly change: 'create'; readonly desired: DesiredSchedule }
  | {
      readonly change: 'update';
      readonly desired: DesiredSchedule;
      readonly differences: readonly Difference[];
    }
  | { readonly change: 'delete' }
  | { readonly change: 'none' }
);

/**
 * Plans what must be done for the schedules to match the settings; changes nothing. Asks for the schedule of every
 * known table, since the server's list of schedules is seconds old.
 * @param account `dashboard_url`, or `unknown`: then a schedule keeps the account that it has
 *
 * Throws `UsageError` if a schedule in the way is not ours, or belongs to a connection of the same name elsewhere.
 */
export async function planApply(client: Client, settings: Settings, account: string): Promise<TableChange[]> {
  const desired = new Map(desiredSchedules(settings, account).map((one) => [one.table, one]));
  const changes = await sideBySide(tables, ({ name }) =>
    planTable(client, settings, name, desired.get(name)),
  );
  return changes.filter((change) => change !== undefined);
}

/** `undefined` if the table is neither wanted nor scheduled. */
async function planTable(
  client: Client,
  settings: Settings,
  table: string,
  desired: DesiredSchedule | undefined,
): Promise<TableChange | undefined> {
  const found = await describeSchedule(client, scheduleId(settings.connection, table));
  if (!found) return desired && { table, change: 'create', desired };
  const owner = ownerOf(found);
  if (!owner) {
    // A schedule that is not ours only matters if it is in the way.
    if (!desired) return undefined;
    throw foreignSchedule(found.scheduleId);
  }
  assertSameConnection(owner, settings);
  return desired ? planUpdate(found, desired) : { table, change: 'delete' };
}

function planUpdate(found: ScheduleDescription, wanted: DesiredSchedule): TableChange {
  const { table } = wanted;
  const [before] = (found.action.args ?? []) as [SyncTableInput | undefined];
  const account = before?.run?.account;
  // If the identity cannot be read this time, it is still the same account's table.
  const desired =
    accountIn(wanted) === 'unknown' && account !== undefined ? forAccount(wanted, account) : wanted;
  // After a resync the schedule has no account, and the table remembers the one that feeds it: nothing to correct.
  const compared = account === 'unknown' ? forAccount(wanted, account) : desired;
  const differences = differencesBetween(found, compared.options);
  return differences.length === 0
    ? { table, change: 'none' }
    : { table, change: 'update', desired, differences };
}

function inputIn({ options }: DesiredSchedule): SyncTableInput {
  const [input] = options.action.args as [SyncTableInput];
  return input;
}

function accountIn(desired: DesiredSchedule): string {
  return inputIn(desired).run.account;
}

/** The schedule with runs of this account. */
function forAccount(desired: DesiredSchedule, account: string): DesiredSchedule {
  const { table, options } = desired;
  const args = withAccount(inputIn(desired), account);
  return { table, options: { ...options, action: { ...options.action, args } } };
}

/** The runs that remain after schedules were deleted. */
export type Removed = {
  /** Workflow ids of runs that no worker responds for; they end once one does. */
  readonly unanswered: readonly string[];
};

/**
 * Carries out a plan: creates, updates and deletes schedules. An operator's pause survives an update; the runs of a
 * schedule that is deleted are cancelled.
 *
 * Throws `UsageError` if another process has created a schedule since the plan was made.
 */
export async function applySchedules(
  client: Client,
  settings: Settings,
  changes: readonly TableChange[],
  signal: AbortSignal,
): Promise<Removed> {
  // All at once, as each waits for its runs to end.
  const removed = await Promise.all(
    changes
      .filter(({ change }) => change === 'delete')
      .map(({ table }) => removeSchedule(client, settings, table, signal)),
  );
  await sideBySide(changes, async (change) => {
    if (change.change === 'create') await createSchedule(client, change.desired);
    if (change.change === 'update') await updateSchedule(client, change.desired);
  });
  return { unanswered: removed.flatMap(({ unanswered }) => unanswered) };
}

async function createSchedule(client: Client, { options }: DesiredSchedule): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    throw new UsageError(
      `Another process has just created the schedule ${options.scheduleId}.`,
      'Run apply again: it shows what still differs.',
    );
  }
}

async function updateSchedule(client: Client, { options }: DesiredSchedule): Promise<void> {
  const { spec, action, policies } = options;
  await client.schedule.getHandle(options.scheduleId).update<typeof syncTable>((before) => {
    if (!ownerOf(before)) throw foreignSchedule(before.scheduleId);
    return { spec, action, ...(policies && { policies }), state: before.state };
  });
}

/** Deletes the schedule of a table and cancels its runs, which delete what they had staged. */
async function removeSchedule(
  client: Client,
  { connection, destination }: Settings,
  table: string,
  signal: AbortSignal,
): Promise<Removed> {
  const id = scheduleId(connection, table);
  const handle = client.schedule.getHandle(id);
  // Otherwise it could start another run while this one is ending.
  await handle.pause('incident-io-source is deleting this schedule');
  const workflowId = tableWorkflowId(destination, table);
  const { unanswered } = await cancelTable(client, { scheduleId: id, workflowId }, signal);
  await handle.delete();
  return { unanswered };
}
