import { z } from 'zod';
import {
  chosenTables,
  keyReference,
  neighbour,
  personal,
  problem,
  retention,
  scheduleChange,
  state,
  tableName,
  tableProblem,
  tableSettings,
  time,
} from './common.ts';

/** A connection in the list of sources. */
export const source = z.object({
  id: z.string().describe('For the paths of this API: the name of the settings file, without .json.'),
  settings: z.string().describe('Path of the settings file.'),
  connection: z.string().optional().describe('Its name, if the settings could be read.'),
  destination: z.string().optional(),
  state,
  worst: z.string().optional().describe('The table that determines the state, unless the state is current.'),
  message: z.string().optional().describe('What is wrong.'),
  advice: z.string().optional().describe('What to do about it.'),
  running: z.number().describe('How many runs are in progress.'),
  counts: z.partialRecord(state, z.number()).describe('How many tables are in each state.'),
});
export type Source = z.infer<typeof source>;

/** All connections, worst first. */
export const sourcesAnswer = z.object({ at: time, sources: z.array(source) });
export type Sources = z.infer<typeof sourcesAnswer>;

/** The outcome of a run that has ended. */
export const endedRun = z.object({
  outcome: z.enum(['synced', 'failed', 'cancelled', 'terminated', 'timed_out', 'unknown']),
  started: time,
  ended: time.optional(),
  seconds: z.number().optional(),
  failure: problem.optional(),
});

/** A run in progress. */
export const liveRun = z.object({
  workflowId: z.string(),
  started: time,
  phase: z
    .string()
    .describe('planning, reading, committing, done; or what it waits for, if no worker responds.'),
  workerAnswers: z.boolean(),
  fullRead: z.boolean().optional(),
  reason: z.string().optional().describe('Why everything is read, or the time since which changes are read.'),
  rows: z.number().optional(),
  requests: z.number().optional(),
  bytes: z.number().optional(),
  windows: z.object({ open: z.number(), done: z.number() }).optional(),
  parents: z.object({ done: z.number(), total: z.number() }).optional(),
  retrying: z.object({ attempt: z.number(), message: z.string() }).optional(),
  waitingUntil: time.optional().describe('Set while the run waits because the API asked it to.'),
  estimate: z
    .object({
      by: z.enum(['rows', 'parents', 'windows']).describe('What is counted.'),
      done: z.number(),
      of: z.number().describe('Approximately how many there are. More windows may open.'),
      endsAt: time
        .optional()
        .describe('Estimated from the speed of the last seconds; missing until that is known.'),
    })
    .optional()
    .describe('How much of a full read is done, if it can be estimated.'),
});
export type LiveRun = z.infer<typeof liveRun>;

/** A table of a connection, now. */
export const sourceTable = z.object({
  table: tableName,
  description: z.string(),
  group: z.string(),
  state,
  error: z.string().optional(),
  message: z.string().optional().describe('What is wrong.'),
  advice: z.string().optional().describe('What to do about it.'),
  settings: tableSettings,
  schedule: z.enum(['active', 'paused', 'missing']),
  note: z.string().optional().describe('Why it was paused.'),
  run: liveRun.optional(),
  buffered: z.boolean().describe('Another run follows the one in progress.'),
  lastRun: endedRun.optional(),
  lastSuccess: time.optional(),
  nextRun: time.optional(),
  rows: z.number().optional().describe('Rows as committed.'),
  watermark: time.optional().describe('The time up to which changes have been read.'),
  lastFullRead: time.optional(),
  completeTo: time
    .optional()
    .describe(
      'The time up to which the table is complete; the lag is the time since then. Missing before the first sync.',
    ),
  lateSince: time.optional(),
});
export type SourceTable = z.infer<typeof sourceTable>;

/** A connection with its tables, worst first; also each event `state` of its stream. */
export const sourceDetail = z.object({
  at: time,
  id: z.string(),
  settings: z.string(),
  connection: z.string(),
  account: z.string().optional().describe('`dashboard_url` of the account, once a table was read.'),
  baseUrl: z.string(),
  destination: z.string(),
  apiKey: keyReference,
  retention,
  personal,
  state,
  tables: z.array(sourceTable),
  estimateProblem: problem.optional().describe('Why the end of the import cannot be estimated.'),
});
export type SourceDetail = z.infer<typeof sourceDetail>;

/** The wanted state of a connection. Fields that are left out stay unchanged. */
export const changeRequest = z.strictObject({
  tables: chosenTables.optional().describe('Tables that are added or changed.'),
  remove: z.array(tableName).optional().describe('Tables to stop syncing; their rows stay.'),
  retention: retention.optional(),
});
export type ChangeRequest = z.infer<typeof changeRequest>;

/** What a change would do; nothing has been changed. */
export const plannedChange = z.object({
  seen: z
    .string()
    .describe('Identifies the current content of the file; send it back when making the change.'),
  file: z.string(),
  lines: z
    .array(z.object({ kind: z.enum(['same', 'added', 'removed']), text: z.string() }))
    .describe('The difference in the settings file.'),
  changes: z.array(scheduleChange),
  neighbours: z.array(neighbour),
  notes: z.array(tableProblem).describe('Tables that could not be read to compare their account.'),
});
export type PlannedChange = z.infer<typeof plannedChange>;

export const changeOrder = changeRequest.extend({ seen: z.string() });
export const changeDone = z.object({
  changes: z.array(scheduleChange),
  unanswered: z.array(z.string()).describe('Cancelled runs that no worker responds for.'),
});

export const actionNames = ['trigger', 'pause', 'resume', 'resync', 'cancel', 'unlink'] as const;
export const actionRequest = z.strictObject({
  action: z.enum(actionNames),
  tables: z
    .array(tableName)
    .min(1)
    .optional()
    .describe('Default: all tables of the connection. unlink always concerns the whole connection.'),
  note: z.string().max(1_000).optional().describe('For pause: the reason.'),
});
export type ActionRequest = z.infer<typeof actionRequest>;

/** What an action would do, before it is done. */
export const actionPreview = z.object({
  action: z.enum(actionNames),
  tables: z.array(tableName),
  what: z.string().describe('One or two sentences.'),
  careful: z.boolean().describe('It costs many requests, or cannot be undone: ask before doing it.'),
  files: z.array(z.string()).optional().describe('For unlink: the files that are deleted.'),
});
export type ActionPreview = z.infer<typeof actionPreview>;

export const actionOutcome = z.object({
  outcomes: z.array(z.object({ table: tableName, done: z.string().optional(), ...problem.partial().shape })),
});
export type ActionOutcome = z.infer<typeof actionOutcome>;
