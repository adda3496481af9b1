import type { CommitOutcome, CommitRequest } from '../warehouse.ts';

/** A full read that would drop more than this share of a table's rows is repeated before it is committed. */
export const doubtfulShare = 0.1;
/** So is one that would drop more rows than this, however large the table is. */
export const doubtfulRows = 1_000;

type Doubtful = Extract<CommitOutcome, { status: 'doubtful' }>;

/** What a merge would make of the table, not yet committed. */
type Merged = { readonly rowsBefore: number; readonly rows: number; readonly dropped: number };

/**
 * Why a full read, or a reading parent by parent, is not committed yet; `undefined` if nothing contradicts it, or if a
 * second reading missed the same rows. A list that was cut short looks like a table whose rows were deleted, and only
 * the rows that the table holds and the API's count can tell the two apart.
 * @param countIsReliable whether the API's count agreed with the table at the last commit: a count that never agrees
 * proves nothing, and would keep deleted rows forever.
 * @param countOffset by how many rows the API counts more than it lists, as of the last full read
 */
export function doubtOf(
  { rowsBefore, rows, dropped }: Merged,
  {
    fullRead,
    question,
    total,
    replaces,
  }: Pick<CommitRequest, 'fullRead' | 'question' | 'total' | 'replaces'>,
  countIsReliable: boolean,
  countOffset = 0,
): Doubtful | undefined {
  const isByParents = replaces !== undefined && 'alive' in replaces;
  if (!(fullRead || isByParents) || !question || dropped === 0) return undefined;
  if (countIsReliable && total !== undefined && total > rows + countOffset) {
    return { status: 'doubtful', dropped, reason: `the API counts ${total} rows and listed only ${rows}` };
  }
  if (dropped <= rowsBefore * doubtfulShare && dropped <= doubtfulRows) return undefined;
  // Rows that neither reading saw are among those that the first one missed, so equal numbers mean the same rows.
  if (question.droppedAtFirst === dropped) return undefined;
  return { status: 'doubtful', dropped, reason: `${dropped} of its ${rowsBefore} rows would be dropped` };
}
