import { z } from 'zod';
import { problem, tableName, tableProblem, time } from './common.ts';

export const runsQuery = z.strictObject({
  table: tableName.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});

/** A run, from what the Temporal server and the table’s own log still have. */
export const pastRun = z.object({
  id: z.string(),
  table: tableName,
  outcome: z.enum([
    'running',
    'synced',
    'not_available',
    'failed',
    'cancelled',
    'terminated',
    'timed_out',
    'unknown',
  ]),
  started: time.optional(),
  ended: time.optional(),
  seconds: z.number().optional(),
  queuedSeconds: z.number().optional().describe('How long it waited for a worker.'),
  fullRead: z.boolean().optional(),
  reason: z
    .string()
    .optional()
    .describe('Why everything was read, or the time since which changes were read.'),
  version: z.number().optional().describe('The version of the table that it committed.'),
  rows: z.number().optional().describe('Rows of the table after the run.'),
  inserted: z.number().optional(),
  updated: z.number().optional(),
  dropped: z.number().optional(),
  read: z.object({ rows: z.number(), requests: z.number(), bytes: z.number() }).optional(),
  notes: z.array(z.string()),
  failure: problem.optional(),
  temporalUrl: z.string().optional().describe('Its page in the web UI of the Temporal server.'),
});
export type PastRunJson = z.infer<typeof pastRun>;

export const runsAnswer = z.object({
  runs: z.array(pastRun).describe('Newest first.'),
  unread: z.array(tableProblem).describe('Tables whose log cannot be read.'),
});
export type Runs = z.infer<typeof runsAnswer>;

export const healthQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(30).default(7) });

/** Figures over time, from the runs that the server still remembers and the tables’ logs. */
export const healthAnswer = z.object({
  from: time.describe('The start of the time that the figures cover.'),
  days: z.array(
    z.object({
      day: z.string().describe('UTC, such as 2026-11-28.'),
      runs: z.number(),
      failed: z.number(),
      requests: z.number(),
      rowsRead: z.number(),
      rowsChanged: z.number().describe('Inserted, updated and dropped.'),
    }),
  ),
  hours: z.array(
    z.object({
      hour: time,
      requests: z.number(),
      share: z.number().describe('Share of the requests that the API allows a key in an hour, from 0 to 1.'),
    }),
  ),
  limitPerHour: z.number(),
  lag: z
    .array(
      z.object({
        table: tableName,
        every: z.string(),
        points: z.array(z.object({ at: time, seconds: z.number() })),
      }),
    )
    .describe('How far behind each table was right before each of its commits.'),
  unread: z.array(tableProblem),
  howCounted: z.string(),
});
export type Health = z.infer<typeof healthAnswer>;
