import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common/lib/converter/payload-converter.js';
import type { Settings } from '../../settings/settings.ts';
import { scheduleId } from '../../temporal/names.ts';
import type { Run } from '../runs/runs.ts';
import { bufferedIn, describeSchedule, runningIn } from './schedule-lookup.ts';
import { isOnThisHost, isSameDestination, marker, type Owner, ownerOf } from './schedule-owner.ts';

/** A run as its schedule remembers it. */
export type ScheduledAction = Required<Run> & {
  readonly takenAt: Date;
  /** A `temporal.api.enums.v1.WorkflowExecutionStatus`, which the server keeps up to date for a while. */
  readonly status: number;
};

/** What a table's status needs to know about its schedule. */
export type ScheduleFacts = {
  readonly paused: boolean;
  /** Why it is paused. */
  readonly note?: string;
  /** Whether its runs write to the destination of the settings, on this host. */
  readonly isHere: boolean;
  /** Where its runs write, if the settings name another destination. */
  readonly elsewhere?: string;
  /** The latest runs, oldest first. */
  readonly actions: readonly ScheduledAction[];
  readonly running: readonly Run[];
  /** Another run follows the one in progress. */
  readonly buffered: boolean;
  readonly next?: Date;
  readonly createdAt: () => Promise<Date>;
};

/** A table's schedule as it is now; `undefined` if there is none. Costly: the server replays the schedule to answer. */
export async function describedSchedule(
  client: Client,
  { connection, destination }: Settings,
  table: string,
): Promise<ScheduleFacts | undefined> {
  const schedule = await describeSchedule(client, scheduleId(connection, table));
  if (!schedule) return undefined;
  const { state, info, raw } = schedule;
  const owner = ownerOf(schedule);
  const [next] = info.nextActionTimes;
  return {
    paused: state.paused,
    ...(state.note && { note: state.note }),
    isHere: owner !== undefined && isOnThisHost(owner, destination),
    ...elsewhere(owner, destination),
    actions: info.recentActions.map(({ takenAt, action: { workflow } }, index) => ({
      ...workflow,
      takenAt,
      status: raw.info?.recentActions?.[index]?.startWorkflowStatus ?? 0,
    })),
    running: runningIn(schedule),
    buffered: bufferedIn(schedule) > 0,
    ...(next && { next }),
    createdAt: () => Promise.resolve(info.createdAt),
  };
}

/** The most that the server lists at once. */
const pageSize = 1_000;
/** `WORKFLOW_EXECUTION_STATUS_RUNNING` */
const isRunning = ({ status }: ScheduledAction) => status === 1;

type ListedEntry = Awaited<ReturnType<Client['workflowService']['listSchedules']>>['schedules'][number];

/**
 * All schedules of the namespace, in a few requests, from the server's index: seconds old, and without waiting
 * triggers.
 * @returns looks up the schedule of a table; `undefined` if it is not listed (yet)
 */
export async function listedSchedules(
  client: Client,
): Promise<(settings: Settings, table: string) => ScheduleFacts | undefined> {
  const { namespace } = client.options;
  const entries = new Map<string, ListedEntry>();
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await client.workflowService.listSchedules({
      namespace,
      maximumPageSize: pageSize,
      nextPageToken,
    });
    for (const entry of page.schedules) entries.set(entry.scheduleId ?? '', entry);
    ({ nextPageToken } = page);
  } while (nextPageToken.length > 0);
  return (settings, table) => {
    const entry = entries.get(scheduleId(settings.connection, table));
    return entry && factsOf(client, settings, table, entry);
  };
}

function factsOf(
  client: Client,
  settings: Settings,
  table: string,
  { memo, info }: ListedEntry,
): ScheduleFacts | undefined {
  const payload = memo?.fields?.[marker];
  // Not ours, or made by another version: the caller must ask for its description.
  if (!payload || !info) return undefined;
  const owner = defaultPayloadConverter.fromPayload<Owner>(payload);
  const actions = (info.recentActions ?? []).map(
    ({ actualTime, startWorkflowResult, startWorkflowStatus }) => ({
      takenAt: dateOf(actualTime),
      workflowId: startWorkflowResult?.workflowId ?? '',
      firstExecutionRunId: startWorkflowResult?.runId ?? '',
      status: startWorkflowStatus ?? 0,
    }),
  );
  const [next] = info.futureActionTimes ?? [];
  return {
    paused: info.paused === true,
    ...(info.notes && { note: info.notes }),
    isHere: isOnThisHost(owner, settings.destination),
    ...elsewhere(owner, settings.destination),
    actions,
    running: actions.filter(isRunning),
    buffered: false,
    ...(next && { next: dateOf(next) }),
    createdAt: async () =>
      (await client.schedule.getHandle(scheduleId(settings.connection, table)).describe()).info.createdAt,
  };
}

/** The same folder on another host is not another destination: it is the one that the settings name. */
function elsewhere(owner: Owner | undefined, destination: string): Pick<ScheduleFacts, 'elsewhere'> {
  return owner === undefined || isSameDestination(owner, destination) ? {} : { elsewhere: owner.destination };
}

type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null };

function dateOf(time: Timestamp | null | undefined): Date {
  return new Date(Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6));
}
