import type { Add } from '../delta/actions.ts';
import { writeDataFile } from '../delta/data-file.ts';
import { statisticsIn } from '../delta/statistics.ts';
import { compareFile, type ComparedFile } from './compare-file.ts';
import type { MergeRequest } from './merge-request.ts';

/** What has become of the data files and of their rows. */
type Rewritten = {
  readonly adds: readonly Add[];
  readonly removed: readonly Add[];
  readonly updated: number;
  readonly dropped: number;
};

/** A data file with rows that are in `matched` or `dropped`. */
type TouchedFile = {
  readonly number: number;
  readonly add: Add;
  readonly matched: number;
  readonly dropped: number;
  /** The numbers of the parts with winners for its rows, in ascending order. */
  readonly parts: readonly number[];
};

/**
 * Rewrites the data files in which a row changes or is dropped.
 * @param candidates what `matchExisting` returned
 */
export async function rewriteFiles(request: MergeRequest, candidates: readonly Add[]): Promise<Rewritten> {
  const adds: Add[] = [];
  const removed: Add[] = [];
  let updated = 0;
  let dropped = 0;
  for (const file of await touchedFiles(request, candidates)) {
    dropped += file.dropped;
    if (file.matched === 0 && request.fullRead) {
      removed.push(file.add);
      continue;
    }
    const rewritten = await rewriteFile(request, file);
    if (!rewritten) continue;
    updated += rewritten.changed;
    removed.push(file.add);
    adds.push(...rewritten.adds);
  }
  return { adds, removed, updated, dropped };
}

/** Writes the rows of a file that stay, with their changes; `undefined` if none change and none go. */
async function rewriteFile(
  request: MergeRequest,
  file: TouchedFile,
): Promise<{ readonly adds: readonly Add[]; readonly changed: number } | undefined> {
  const slices = slicesOf(request, file);
  const comparisons = [];
  for (const slice of slices) comparisons.push(await compareFile(request, slice));
  const changed = comparisons.reduce((sum, comparison) => sum + comparison.changed, 0);
  if (changed === 0 && file.dropped === 0) return undefined;
  const adds: Add[] = [];
  for (const [index, slice] of slices.entries()) {
    // The SQL of a comparison is good only until the next one.
    const { select } = slices.length === 1 ? comparisons[index]! : await compareFile(request, slice);
    const fields = request.columns.map(({ field }) => field);
    const add = await writeDataFile(request, { select, fields, dataChange: true });
    if (add) adds.push(add);
  }
  return { adds, changed };
}

/** The file, or pieces of it that are compared one after the other. */
function slicesOf({ rowsAtOnce }: MergeRequest, file: TouchedFile): ComparedFile[] {
  const { numRecords } = statisticsIn(file.add);
  if (rowsAtOnce === undefined || numRecords === undefined) return [file];
  return Array.from({ length: Math.ceil(numRecords / rowsAtOnce) }, (_, index) => ({
    ...file,
    slice: { from: index * rowsAtOnce, to: (index + 1) * rowsAtOnce },
  }));
}

async function touchedFiles({ session }: MergeRequest, candidates: readonly Add[]): Promise<TouchedFile[]> {
  const touched = await session.rows(`
    SELECT
      file,
      count(*) FILTER (stays) AS matched,
      count(*) FILTER (NOT stays) AS dropped,
      list(DISTINCT part) FILTER (stays) AS parts
    FROM (
      SELECT file, part, true AS stays FROM matched
      UNION ALL
      SELECT file, NULL, false FROM dropped
    )
    GROUP BY file
    ORDER BY file`);
  return touched.map(({ file, matched, dropped, parts }) => ({
    number: Number(file),
    add: candidates[Number(file)]!,
    matched: Number(matched),
    dropped: Number(dropped),
    parts: (Array.isArray(parts) ? parts.map(Number) : []).sort((a, b) => a - b),
  }));
}

/**
 * The columns have changed, so all files go, and the rows that stay come from the parts: adds all winners to
 * `inserted`.
 */
export async function replaceFiles(
  { session }: MergeRequest,
  candidates: readonly Add[],
): Promise<Rewritten> {
  const [counts] = await session.rows(`
    SELECT (SELECT count(*) FROM matched) AS matched, (SELECT count(*) FROM dropped) AS dropped`);
  await session.run('INSERT INTO inserted SELECT part, staged_pos FROM matched');
  return {
    adds: [],
    removed: candidates,
    updated: Number(counts?.['matched']),
    dropped: Number(counts?.['dropped']),
  };
}
