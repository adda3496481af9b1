import type { Add } from '../delta/actions.ts';
import { addDataFile, bytesPerFile, rowsPerFile, writeDataFile } from '../delta/data-file.ts';
import { duckTypeOf } from '../delta/schema.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { identifier, type Row } from '../duckdb.ts';
import { statisticsName } from './lines-writer.ts';
import type { MergeRequest, StagedPart } from './merge-request.ts';
import { partFiles, partRows, timeAsSql } from './part-rows.ts';

/** Parts whose new rows go into one data file. */
type Group = {
  readonly parts: readonly number[];
  /** The number of new rows. */
  readonly rows: number;
  /** The share of the parts' bytes that the new rows take up. */
  readonly bytes: number;
  /** All bytes of the parts. */
  readonly partBytes: number;
  /** They are made like data files. */
  readonly areDataFiles: boolean;
};

/**
 * Writes the rows in `inserted` to new data files; returns the number of rows. Parts with older rows come first:
 * windows are read side by side, so in the order of the parts every row group would hold rows of all times, and a query
 * for one month would have to read them all.
 */
export async function insertNew(request: MergeRequest): Promise<{ adds: readonly Add[]; rows: number }> {
  const adds: Add[] = [];
  let rows = 0;
  for (const group of await groupsOfParts(request)) {
    rows += group.rows;
    const [only] = group.parts.map((number) => request.parts[number]!);
    if (group.areDataFiles && group.rows === only!.rows) {
      adds.push(await becomeDataFile(request, only!));
      continue;
    }
    const add = await writeDataFile(request, {
      select: await newRows(request, group),
      fields: request.columns.map(({ field }) => field),
      dataChange: true,
    });
    if (add) adds.push(add);
  }
  return { adds, rows };
}

/** Takes the part into the table as it is. The staged file stays: the merge may be repeated. */
async function becomeDataFile(request: MergeRequest, part: StagedPart): Promise<Add> {
  const key = statisticsName(part.key);
  const stats = await request.store.read(key);
  if (!stats) throw new Error(`${key}, the statistics of a staged part, is missing.`);
  const [path] = await request.local.paths([part.key]);
  return addDataFile(request, { path: path!, stats: stats.toString() });
}

async function groupsOfParts({ session, parts, local }: MergeRequest): Promise<Group[]> {
  const counts = await session.rows(`
    SELECT part, count(*) AS rows FROM inserted GROUP BY part ORDER BY part`);
  const earliest = (count: Row) => parts[Number(count['part'])]!.earliest ?? 0;
  const groups: Group[] = [];
  for (const count of counts.toSorted((a, b) => earliest(a) - earliest(b))) {
    const part = parts[Number(count['part'])]!;
    const rows = Number(count['rows']);
    const next = {
      parts: [Number(count['part'])],
      rows,
      bytes: (part.bytes * rows) / part.rows,
      partBytes: part.bytes,
      areDataFiles: part.isDataFile === true,
    };
    const last = groups.at(-1);
    const together = last && {
      parts: [...last.parts, ...next.parts],
      rows: last.rows + next.rows,
      bytes: last.bytes + next.bytes,
      partBytes: last.partBytes + next.partBytes,
      areDataFiles: last.areDataFiles,
    };
    const fits =
      together &&
      // A part that is made like a data file is large enough to be one, even if some of its rows are left out.
      !(last.areDataFiles || next.areDataFiles) &&
      together.rows <= rowsPerFile &&
      together.bytes <= bytesPerFile &&
      together.partBytes <= local.room;
    if (fits) groups[groups.length - 1] = together;
    else groups.push(next);
  }
  return groups;
}

/** SQL for the new rows of some parts. */
async function newRows({ columns, parts, local, now, table }: MergeRequest, group: Group): Promise<string> {
  const values = columns.map(({ field, staged }) => {
    const value = field.name === syncedAt ? timeAsSql(now) : (staged ?? `NULL::${duckTypeOf(table, field)}`);
    return `${value} AS ${identifier(field.name)}`;
  });
  const staged = group.parts.map((number) => parts[number]!);
  const paths = await local.paths(staged.map(({ key }) => key));
  // Often every row of the parts is new: no join is needed then.
  if (group.rows === staged.reduce((sum, part) => sum + part.rows, 0)) {
    return `SELECT ${values.join(', ')} FROM ${partFiles(paths, group)}`;
  }
  return `
    SELECT ${values.join(', ')}
    FROM (${partRows(paths, group.parts, group)}) AS staged
    SEMI JOIN inserted ON inserted.part = "__part" AND inserted.pos = "__row"`;
}
