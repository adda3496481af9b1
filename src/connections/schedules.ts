import { createHash } from 'node:crypto';
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { restartPolicy } from '../../workflows/restart.ts';
import type { SyncTableInput } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { UsageError } from '../errors.ts';
import { intervalMs, type Settings, type TableSettings } from '../settings/settings.ts';
import { tableNamed, tables } from '../tables/index.ts';
import { placeOf } from '../warehouse/store/destination.ts';
import { hostName, tableWorkflowId, scheduleId, workerQueue } from '../temporal/names.ts';
import { inputOf, toMethod } from './input.ts';
import { cancelTable, describeSchedule } from './operate.ts';

type SyncAction = ScheduleOptionsStartWorkflowAction<typeof syncTable>;

/** A table's schedule as the settings want it. */
export type DesiredSchedule = {
  readonly table: string;
  readonly options: ScheduleOptions<SyncAction>;
};

/** One fact of a schedule that is not as the settings want it; a side that is left out has none. */
export type Difference = { readonly name: string; readonly from?: string; readonly to?: string };

/** What becomes of a table's schedule. */
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

/** Under this key a schedule's memo says that it is ours, and whose; a memo never changes. */
export const marker = 'incident_io_source';

export type Owner = { readonly connection: string; readonly destination: string; readonly host: string };

/** A run gives up after its interval, so that the next one can try; yet not before an outage of an hour is over. */
const giveUpMinutes = { least: 60, most: 24 * 60 };
/** The server takes no shorter one. */
const leastCatchUpMs = 10_000;

/** The schedules that the settings want, one a table. */
export function desiredSchedules(settings: Settings, account: string): DesiredSchedule[] {
  return Object.entries(settings.tables).map(([table, entry]) => ({
    table,
    options: scheduleOptions(settings, account, table, entry),
  }));
}

function scheduleOptions(
  { connection, apiKey, baseUrl, destination, retention }: Settings,
  account: string,
  table: string,
  entry: TableSettings,
): ScheduleOptions<SyncAction> {
  const id = scheduleId(connection, table);
  const everyMs = intervalMs(entry.every);
  const giveUpAfterMinutes = Math.min(Math.max(everyMs / 60_000, giveUpMinutes.least), giveUpMinutes.most);
  const input = inputOf(
    tableNamed(table),
    {
      apiKey,
      baseUrl,
      account,
      giveUpAfterMinutes,
      periodic: true,
      retentionMs: intervalMs(retention),
    },
    toMethod(entry),
  );
  return {
    scheduleId: id,
    spec: { intervals: [{ every: everyMs, offset: offsetMs(id, everyMs) }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'syncTable',
      workflowId: `${id}-workflow`,
      taskQueue: workerQueue(destination),
      args: [input],
      retry: restartPolicy,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // Left out it is a year: after an outage one run is wanted, not all that were missed.
      catchupWindow: Math.max(everyMs, leastCatchUpMs),
      pauseOnFailure: false,
    },
    memo: { [marker]: { connection, destination, host: hostName() } satisfies Owner },
  };
}

/** Whole seconds, as the server has it; hashed from the id, so that tables do not start together. */
function offsetMs(id: string, everyMs: number): number {
  const hash = createHash('sha256').update(id).digest().readUInt32BE();
  return (hash % (everyMs / 1_000)) * 1_000;
}

/**
 * What has to be done to make the schedules be what the settings say; changes nothing. Each known table's schedule
 * is described, for the server's list of them lags.
 * @param account `dashboard_url`, or `unknown`: then the account that a schedule already has stays.
 *
 * Throws `UsageError` where an id is taken by a schedule that is not ours, or by a connection of the same name
 * elsewhere.
 */
export async function planApply(client: Client, settings: Settings, account: string): Promise<TableChange[]> {
  const desired = new Map(desiredSchedules(settings, account).map((one) => [one.table, one]));
  return Promise.all(
    tables.map(({ name }) => name).map((table) => planTable(client, settings, table, desired.get(table))),
  ).then((changes) => changes.flat());
}

async function planTable(
  client: Client,
  settings: Settings,
  table: string,
  desired: DesiredSchedule | undefined,
): Promise<TableChange[]> {
  const found = await describeSchedule(client, scheduleId(settings.connection, table));
  if (!found) return desired ? [{ table, change: 'create', desired }] : [];
  const owner = ownerOf(found);
  if (!owner) {
    // It is no concern of ours unless it is in the way.
    if (!desired) return [];
    throw foreignSchedule(found.scheduleId);
  }
  assertSameConnection(owner, settings);
  if (!desired) return [{ table, change: 'delete' }];
  const kept = keepingAccount(desired, found);
  const differences = differencesBetween(factsOf(found), factsOf(kept.options));
  return differences.length === 0
    ? [{ table, change: 'none' }]
    : [{ table, change: 'update', desired: kept, differences }];
}

/** Whose schedule it is; `undefined` where it is none of ours. */
export function ownerOf({ memo }: ScheduleDescription): Owner | undefined {
  return memo?.[marker] as Owner | undefined;
}

function foreignSchedule(id: string): UsageError {
  return new UsageError(
    `The schedule ${id} is not one of incident-io-source.`,
    'Give this connection another name, or delete that schedule if nobody needs it.',
  );
}

/** Two connections of one name would take each other's schedules. */
function assertSameConnection({ connection, destination, host }: Owner, settings: Settings): void {
  if (placeOf(destination, host) === placeOf(settings.destination, hostName())) return;
  const [theirs, ours] =
    host === hostName()
      ? [destination, settings.destination]
      : [`${destination} on the host ${host}`, `${settings.destination} on ${hostName()}`];
  throw new UsageError(
    `There is a connection ${connection} already, to ${theirs}; these settings are for ${ours}.`,
    'Give this connection another name; or unlink the other one with its own settings, and set ' +
      'INCIDENT_IO_SOURCE_HOST where the same host goes by several names.',
  );
}

/** Whether a schedule's runs write where these settings say, on whichever host. */
export function isSameDestination({ destination }: Owner, settings: string): boolean {
  return placeOf(destination, '') === placeOf(settings, '');
}

/** For commands that look after a connection by its name alone: the settings may be a copy, or edited. */
export function otherDestination(connection: string, theirs: string, ours: string): UsageError {
  return new UsageError(
    `The schedules of the connection ${connection} sync into ${theirs}; these settings say ${ours}.`,
    'Name the settings of that connection, or give this one a name of its own and link it.',
  );
}

/** An identity that could not be read is no reason to forget whose table it is. */
function keepingAccount(desired: DesiredSchedule, found: ScheduleDescription): DesiredSchedule {
  const { options } = desired;
  const [input] = options.action.args as [SyncTableInput];
  const [before] = (found.action.args ?? []) as [SyncTableInput | undefined];
  const account = before?.run?.account;
  if (input.run.account !== 'unknown' || account === undefined) return desired;
  return { ...desired, options: { ...options, action: { ...options.action, args: argsOf(input, account) } } };
}

/** Lets the schedule's runs be of any account; the table they commit into remembers whose it is. */
export async function forgetAccount(
  client: Client,
  { scheduleId, action }: Pick<ScheduleDescription, 'scheduleId' | 'action'>,
): Promise<void> {
  const [input] = (action.args ?? []) as [SyncTableInput | undefined];
  if (input === undefined || input.run.account === 'unknown') return;
  const args = argsOf(input, 'unknown');
  await client.schedule
    .getHandle(scheduleId)
    .update((before) => ({ ...before, action: { ...before.action, args } }));
}

function argsOf(input: SyncTableInput, account: string): [SyncTableInput] {
  return [{ ...input, run: { ...input.run, account } }];
}

type Facts = ReadonlyMap<string, string>;

/**
 * All that makes a schedule do what it does, in words. Whatever somebody else added to it (a calendar, a timeout) is
 * a difference too.
 */
function factsOf({
  spec,
  action,
  policies,
}: Pick<ScheduleDescription, 'spec' | 'action' | 'policies'> | ScheduleOptions<SyncAction>): Facts {
  const { intervals = [], ...otherTimes } = spec;
  const [input, ...otherArgs] = (action.args ?? []) as unknown[];
  const { workflowRunTimeout, workflowExecutionTimeout, workflowTaskTimeout, retry } = action;
  const { workflowType } = action;
  return new Map([
    ['every', intervals.map(({ every }) => duration(every as number)).join(', ')],
    ['offset', intervals.map(({ offset }) => duration(offset as number)).join(', ')],
    ...flat('times', otherTimes),
    ['overlap', policies?.overlap ?? ''],
    ['catch up', duration(policies?.catchupWindow as number)],
    ['pause on failure', String(policies?.pauseOnFailure)],
    ['workflow', typeof workflowType === 'string' ? workflowType : workflowType.name],
    ['workflow id', action.workflowId ?? ''],
    ['queue', action.taskQueue],
    ...flat('', { workflowRunTimeout, workflowExecutionTimeout, workflowTaskTimeout, retry }),
    ...flat('', input),
    ...flat('more arguments', otherArgs),
  ]);
}

/** The leaves of a value by their path; what is empty, zero or left out is no fact. */
function flat(path: string, value: unknown): [string, string][] {
  if (value === undefined || value === null || value === 0 || value === '') return [];
  if (typeof value !== 'object' || value instanceof Date) {
    const text = path.endsWith('Ms')
      ? duration(Number(value))
      : JSON.stringify(value).replace(/^"(.*)"$/, '$1');
    return [[path, text]];
  }
  return Object.entries(value).flatMap(([key, inner]) => flat(path === '' ? key : `${path}.${key}`, inner));
}

/** `900000` as `15m`: in the largest unit that leaves no rest, but days only where there are several. */
function duration(ms: number): string {
  const [unit, size] = units.find(([unit, size]) => ms % size === 0 && (unit !== 'd' || ms > size))!;
  return `${ms / size}${unit}`;
}
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

function differencesBetween(before: Facts, after: Facts): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)];
    if (from === to) return [];
    return [{ name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

/** What is left of a table's runs whose schedule was deleted; workflow ids. */
export type Removed = { readonly unanswered: readonly string[] };

/**
 * Carries out a plan: creates, updates, deletes. An operator's pause outlasts an update; the runs of a schedule that
 * is deleted are cancelled.
 * @returns runs that no worker answers for: they end once one does.
 *
 * Throws `UsageError` where somebody else made a schedule since the plan.
 */
export async function applySchedules(
  client: Client,
  settings: Settings,
  changes: readonly TableChange[],
  signal: AbortSignal,
): Promise<Removed> {
  const unanswered = await Promise.all(
    changes.map(async (change) => {
      switch (change.change) {
        case 'create':
          await createSchedule(client, change.desired);
          return [];
        case 'update':
          await updateSchedule(client, change.desired);
          return [];
        case 'delete':
          return (await removeSchedule(client, settings, change.table, signal)).unanswered;
        case 'none':
          return [];
      }
    }),
  );
  return { unanswered: unanswered.flat() };
}

async function createSchedule(client: Client, { options }: DesiredSchedule): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    throw new UsageError(
      `Somebody else has just made the schedule ${options.scheduleId}.`,
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

/** Deletes the schedule of a table and cancels its runs, which sweep their staging. */
async function removeSchedule(
  client: Client,
  { connection, destination }: Settings,
  table: string,
  signal: AbortSignal,
): Promise<Removed> {
  const id = scheduleId(connection, table);
  const handle = client.schedule.getHandle(id);
  // Or it starts another run while the one before it is ending.
  await handle.pause('incident-io-source is deleting this schedule');
  // A signal of its own: Node warns of a leak where more than ten listen to one.
  const own = AbortSignal.any([signal]);
  const { unanswered } = await cancelTable(
    client,
    { scheduleId: id, workflowId: tableWorkflowId(destination, table) },
    own,
  );
  await handle.delete();
  return { unanswered };
}

/** Deletes all schedules of a connection. Throws as `planApply` does. */
export async function removeSchedules(
  client: Client,
  settings: Settings,
  signal: AbortSignal,
): Promise<Removed & { readonly tables: readonly string[] }> {
  const changes = await planApply(client, { ...settings, tables: {} }, 'unknown');
  const { unanswered } = await applySchedules(client, settings, changes, signal);
  return { tables: changes.map(({ table }) => table), unanswered };
}
