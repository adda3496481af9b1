import { z } from 'zod';
import {
  chosenTables,
  keyReference,
  neighbour,
  scheduleChange,
  tableName,
  tableProblem,
  tableSettings,
} from './common.ts';

/** A column as it is declared. */
export const declaredColumn = z.object({
  name: z.string(),
  type: z.string(),
  description: z.string(),
  personal: z.boolean(),
  key: z.boolean(),
});

/** Everything that can be synced, independent of the key. */
export const offeredTable = z.object({
  table: tableName,
  description: z.string(),
  group: z.string(),
  scope: z
    .string()
    .optional()
    .describe('The scope that the key needs; without one, any key may read the table.'),
  selectedBy: z
    .enum(['default', 'all', 'name'])
    .describe('name: personal or security data, so it is only synced if it is named.'),
  parent: tableName.optional().describe('It is read by the rows of this table, which has to be synced too.'),
  syncMethods: z.array(z.enum(['incremental', 'full_refresh'])).describe('The default comes first.'),
  incrementalFields: z.array(z.enum(['updated_at', 'created_at'])),
  defaults: z
    .partialRecord(z.enum(['incremental', 'full_refresh']), tableSettings)
    .describe('By sync method.'),
  nested: z.array(tableName).describe('Tables made from lists inside its rows, which come with it.'),
  columns: z.array(declaredColumn),
});
export type OfferedTable = z.infer<typeof offeredTable>;

export const offeredTables = z.object({
  groups: z.array(z.object({ group: z.string(), tables: z.array(offeredTable) })),
  frequencies: z.array(z.string()),
  retentions: z.array(z.string()),
});
export type OfferedTables = z.infer<typeof offeredTables>;

/** The key is sent here, once; no answer ever contains it. */
export const keyRequest = z.strictObject({
  key: z.string().max(1_000).describe('As incident.io shows it when it is created.'),
  baseUrl: z.string().optional().describe('Another address of the API, such as a sandbox.'),
});
export type KeyRequest = z.infer<typeof keyRequest>;

/** What a key may read, and what reading it costs. */
export const tablePermission = z.object({
  table: tableName,
  allowed: z.boolean(),
  scope: z.string().optional().describe('The scope that is missing.'),
  message: z.string().optional().describe('Why it cannot be read.'),
  rows: z.number().optional().describe('The number of rows that the API counts.'),
  estimate: z
    .object({
      fullRead: z.number().describe('Approximate number of requests to read all of it once.'),
      quietDay: z.number().describe('Approximate number of requests on a day without changes.'),
      atLeast: z
        .boolean()
        .describe('Whether it may be more, because the API does not say how many rows there are.'),
      seconds: z.number().describe('Duration of the first sync if nothing else uses the key.'),
    })
    .optional(),
});

/** Whose key it is, and what it may read. */
export const checkedKey = z.object({
  draft: z.string().describe('Represents the key in the next steps. Forgotten after 30 minutes.'),
  account: z.string().describe('`dashboard_url`, or unknown.'),
  name: z.string().optional().describe('The name of the key in incident.io.'),
  tables: z.array(tablePermission),
  missingScopes: z
    .array(z.object({ scope: z.string(), tables: z.array(tableName) }))
    .describe('The scopes for suggested tables that the key cannot read.'),
  whereToTick: z.string().describe('Where in incident.io scopes are granted.'),
  suggested: z.array(tableName).describe('The default tables that the key can read, with their parents.'),
  defaults: z.object({
    connection: z.string().describe('A name that is still free.'),
    destination: z.string(),
    keyFile: z
      .string()
      .optional()
      .describe('Where a pasted key would be kept; missing without a home folder.'),
  }),
});
export type CheckedKey = z.infer<typeof checkedKey>;

export const estimateRequest = z.strictObject({ tables: z.array(tableName) });
/** The cost of several tables together, which share the key's rate limit. */
export const estimateAnswer = z.object({
  fullRead: z.number(),
  quietDay: z.number(),
  atLeast: z.boolean(),
  seconds: z.number(),
});
export type EstimateAnswer = z.infer<typeof estimateAnswer>;

export const destinationRequest = z.strictObject({ destination: z.string() });
/** A destination that can be written to. */
export const destinationAnswer = z.object({
  destination: z.string().describe('The absolute path or address.'),
  tables: z.array(tableName).describe('Tables that it already contains.'),
});
export type DestinationAnswer = z.infer<typeof destinationAnswer>;

/** A connection to create. */
export const linkRequest = z.strictObject({
  connection: z.string(),
  destination: z.string(),
  tables: chosenTables,
  keyEnv: z
    .string()
    .optional()
    .describe(
      'The environment variable in which the worker finds the key; if left out, the key file is written.',
    ),
});
export type LinkRequest = z.infer<typeof linkRequest>;

/** What linking would do; nothing has been changed. */
export const linkPlan = z.object({
  file: z.string().describe('The settings file that is written.'),
  text: z.string().describe('The text of the settings file.'),
  apiKey: keyReference,
  writesKey: z.boolean().describe('Whether the key file is written.'),
  changes: z.array(scheduleChange),
  neighbours: z.array(neighbour),
  notes: z.array(tableProblem),
});
export type LinkPlan = z.infer<typeof linkPlan>;

export const linkOrder = linkRequest.extend({
  import: z.boolean().default(true).describe('Whether the first import starts now.'),
});
export const linked = z.object({
  id: z.string().describe('The id of the new source.'),
  failures: z.array(tableProblem).describe('Tables whose import could not be started.'),
  needsWorker: z
    .string()
    .optional()
    .describe('The command that starts a worker, unless this process is one.'),
});
export type Linked = z.infer<typeof linked>;
