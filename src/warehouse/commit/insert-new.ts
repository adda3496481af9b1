import type { Add } from '../delta/actions.ts';
import { bytesPerFile, rowsPerFile, writeDataFile } from '../delta/data-file.ts';
import { duckTypeOf } from '../delta/schema.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { identifier, parquetFiles, type Row } from '../duckdb.ts';
import type { MergeRequest } from './merge-request.ts';
import { partRows, timeAsSql } from './part-rows.ts';

/** Parts whose new rows go into one data file. */
type Group = {
  readonly parts: readonly number[];
  /** The number of new rows. */
  readonly rows: number;
  /** The share of the parts' bytes that the new rows take up. */
  readonly bytes: number;
  /** All bytes of the parts. */
  readonly partBytes: number;
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
    const add = await writeDataFile(request, {
      select: await newRows(request, group),
      fields: request.columns.map(({ field }) => field),
      dataChange: true,
    });
    if (add) adds.push(add);
  }
  return { adds, rows };
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
    };
    const last = groups.at(-1);
    const together = last && {
      parts: [...last.parts, ...next.parts],
      rows: last.rows + next.rows,
      bytes: last.bytes + next.bytes,
      partBytes: last.partBytes + next.partBytes,
    };
    const fits =
      together &&
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
    return `SELECT ${values.join(', ')} FROM ${parquetFiles(paths)}`;
  }
  return `
    SELECT ${values.join(', ')}
    FROM (${partRows(paths, group.parts)}) AS staged
    SEMI JOIN inserted ON inserted.part = "__part" AND inserted.pos = "__row"`;
}
