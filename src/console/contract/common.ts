import { z } from 'zod';
import { states } from '../../connections/status/table-health.ts';
import { frequencySchema } from '../../settings/frequency-schema.ts';
import { personalChoices, retentions } from '../../settings/settings.ts';

/** The body of every answer other than 2xx. */
export const problem = z.object({
  error: z.string().describe('The class of the error, such as UsageError.'),
  message: z.string(),
  advice: z.string().optional().describe('What to do about it.'),
});
export type Problem = z.infer<typeof problem>;

/** RFC 3339, UTC. */
export const time = z.string().describe('RFC 3339, UTC.');
export const tableName = z.string().describe('Name of a table, such as incidents.');
export const state = z.enum(states).describe('Worst first; first_sync until the first import is complete.');

/** A failure of one table among several. */
export const tableProblem = problem.extend({ table: tableName });

/** Where the API key is; never the key. */
export const keyReference = z.union([
  z.strictObject({ env: z.string() }).describe('An environment variable of the worker.'),
  z.strictObject({ file: z.string() }).describe('A file of the worker.'),
]);

/** How a table is synced, as in the settings file. Which values a table allows is checked as it is for the file. */
export const tableSettings = z.strictObject({
  syncMethod: z.enum(['incremental', 'full_refresh']),
  every: frequencySchema(true),
  incrementalField: z.enum(['updated_at', 'created_at']).optional(),
  fullReadEvery: z.union([frequencySchema(true), z.literal('never')]).optional(),
  columns: z
    .strictObject({ exclude: z.array(z.string()).optional(), land: z.array(z.string()).optional() })
    .optional(),
  nested: z.boolean().optional(),
});
export type TableSettingsJson = z.infer<typeof tableSettings>;

export const chosenTables = z.record(z.string(), tableSettings).describe('By the name of the table.');
export const retention = z.enum(retentions);
export const personal = z.enum(personalChoices);

/** What happens to the schedule of a table, as `apply` shows it. */
export const scheduleChange = z.object({
  table: tableName,
  change: z.enum(['create', 'update', 'delete', 'none']),
  what: z.string().describe('In words; empty if nothing changes.'),
});

/** Another connection that syncs into the same destination. */
export const neighbour = z.object({
  connection: z.string(),
  shared: z.array(tableName).describe('Tables that both connections sync, which is a mistake.'),
});

/** The value of a cell. Numbers that do not fit a double are text, times are RFC 3339, nested values are JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export const cell = z.custom<Json>(() => true);
export const resultColumn = z.object({ name: z.string(), type: z.string().describe('As DuckDB calls it.') });
/** What SQL returned. */
export const rowsResult = z.object({
  columns: z.array(resultColumn),
  rows: z.array(z.array(cell)),
});
export type RowsResult = z.infer<typeof rowsResult>;
