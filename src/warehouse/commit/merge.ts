import { insertNew } from './insert-new.ts';
import { matchExisting } from './match-existing.ts';
import type { Merged, MergeRequest } from './merge-request.ts';
import { pickWinners } from './pick-winners.ts';
import { replaceFiles, rewriteFiles } from './rewrite-files.ts';

/**
 * Merges staged parts into a table, with one row for each key. It is copy-on-write: a file without a new, changed or
 * dropped row stays as it is, and an unchanged row keeps its `_synced_at`.
 *
 * The steps hand over temporary tables, which hold the keys and places of rows but never whole rows: those are read
 * one data file at a time. A place is the number of a file or part, and the row's position in it.
 *
 *     staged parts                         data files
 *          │                                   │
 *       staged    all staged rows              │
 *          │                                   │                                pickWinners
 *       winners   the newest for each key      │
 *          │                                   │
 *          ├───────────────────────────── existing    rows with a staged key
 *          │                                   │      (full read: all rows)     matchExisting
 *          │              ┌────────────────────┤
 *       inserted       matched              dropped
 *       winners that   rows that stay,      rows that
 *       are new        with their winners   go
 *          │              │                    │
 *      insertNew          └─── rewriteFiles ───┘
 */
export async function merge(request: MergeRequest): Promise<Merged> {
  await pickWinners(request);
  const candidates = await matchExisting(request);
  const rewritten = await (request.rewrite
    ? replaceFiles(request, candidates)
    : rewriteFiles(request, candidates));
  const written = await insertNew(request);
  const { updated, dropped } = rewritten;
  // After `replaceFiles`, the rows that were there before are written like new ones.
  const inserted = request.rewrite ? written.rows - updated : written.rows;
  return {
    adds: [...rewritten.adds, ...written.adds],
    removed: rewritten.removed,
    rows: request.rowsBefore - dropped + inserted,
    rowsBefore: request.rowsBefore,
    inserted,
    updated,
    dropped,
  };
}
