import { z } from 'zod';
import { cell, problem, resultColumn, rowsResult, tableName, time } from './common.ts';

/** A table in the destination. */
export const dataTable = z.object({
  table: tableName,
  description: z.string().optional().describe('Missing for a table that this version does not know.'),
  group: z.string().optional(),
  nestedIn: tableName.optional().describe('It is made from a list inside the rows of this table.'),
  personal: z.boolean().describe('Whether it has columns that hold personal data.'),
});
export const dataTables = z.object({ tables: z.array(dataTable) });
export type DataTables = z.infer<typeof dataTables>;

export const tableQuery = z.strictObject({
  version: z.coerce.number().int().min(0).optional().describe('Default: the newest.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});

/** A column of a table in the destination. */
export const dataColumn = resultColumn.extend({
  description: z.string().optional(),
  personal: z.boolean(),
  key: z.boolean(),
});

export const tableData = z.object({
  table: tableName,
  description: z.string().optional(),
  version: z.number().describe('The version that the rows come from.'),
  newest: z.number(),
  versions: z
    .array(
      z.object({
        version: z.number(),
        at: time,
        fullRead: z.boolean().optional(),
        inserted: z.number().optional(),
        updated: z.number().optional(),
        dropped: z.number().optional(),
        rows: z.number().optional(),
      }),
    )
    .describe('Newest first: the commits of runs that are still in the log.'),
  columns: z.array(dataColumn),
  orderedBy: z.string().optional().describe('The column that decides which rows are the newest.'),
  rows: z.array(z.array(cell)),
});
export type TableData = z.infer<typeof tableData>;

export const sqlRequest = z.strictObject({
  sql: z.string().min(1).max(100_000).describe('One SELECT, as the command query takes it.'),
  versions: z
    .record(z.string(), z.number().int().min(0))
    .optional()
    .describe('Tables that are read as of an older version.'),
});
export type SqlRequest = z.infer<typeof sqlRequest>;
export const sqlAnswer = rowsResult.extend({
  more: z.boolean().describe('Whether there are more rows than the answer may hold.'),
  limit: z.number(),
  seconds: z.number(),
});
export type SqlAnswer = z.infer<typeof sqlAnswer>;

/** How a picture is best drawn; columns by their name. */
export const chart = z.object({
  kind: z.enum(['bar', 'stacked_bar', 'line', 'heatmap']),
  x: z.string(),
  y: z.string().describe('For heatmap: the row; the value is in `value`.'),
  series: z.string().optional().describe('One line, or part of a bar, per value of this column.'),
  value: z.string().optional(),
  unit: z.string().describe('The unit of the values, such as hours.'),
});
export type Chart = z.infer<typeof chart>;

/** A picture of the account, and where its figures come from. */
export const picture = z.object({
  name: z.string(),
  title: z.string(),
  howCounted: z.string(),
  sql: z.string(),
  needs: z.array(tableName),
  chart,
});
export type Picture = z.infer<typeof picture>;
export const pictureList = z.object({ pictures: z.array(picture) });
export type PictureList = z.infer<typeof pictureList>;

export const drawnPicture = picture.extend({
  missing: z
    .array(tableName)
    .describe(
      'Tables that the picture needs and that have not been synced; if there are any, there is no result.',
    ),
  result: rowsResult.optional(),
  failure: problem.optional(),
});
export type DrawnPicture = z.infer<typeof drawnPicture>;

export const aboutAnswer = z.object({
  version: z.string(),
  worker: z.boolean().describe('Whether this process also runs the syncs (up --console, demo --console).'),
  temporalUi: z.string().optional(),
  sandbox: z
    .object({ baseUrl: z.string(), key: z.string() })
    .optional()
    .describe('An invented account to try linking with (demo --console).'),
  settingsFolder: z.string().describe('Where the settings of a new source are written.'),
});
export type About = z.infer<typeof aboutAnswer>;
