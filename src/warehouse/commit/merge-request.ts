import type { Add } from '../delta/actions.ts';
import type { DataFileWriter } from '../delta/data-file.ts';
import type { TargetColumn } from '../delta/target-schema.ts';
import type { Part } from '../part.ts';
import type { LocalFiles } from '../store/store.ts';
import type { Key } from './key.ts';

/** A staged part in the store. */
export type StagedPart = Part & { readonly key: string };

/** What is merged into what, and what the steps of the merge read and write with. */
export type MergeRequest = DataFileWriter & {
  readonly local: LocalFiles;
  /** The table's live data files. */
  readonly files: readonly Add[];
  /** The number of rows in them. */
  readonly rowsBefore: number;
  /** The most rows of a data file to compare at a time; by default all. */
  readonly rowsAtOnce?: number;
  /** If two rows have the same key and `updated_at`, the one in the later part wins. */
  readonly parts: readonly StagedPart[];
  readonly key: Key;
  /** The table's columns after the merge. */
  readonly columns: readonly TargetColumn[];
  /** Rows whose key is not staged are dropped, and a staged row replaces the table's even if it is older. */
  readonly fullRead: boolean;
  /** SQL for the rows of data files that are dropped if their key is not staged, in a run that is not a full read. */
  readonly isReplaced?: string | undefined;
  /** SQL for the staged rows that count; if left out, all do. */
  readonly isWanted?: string | undefined;
  /** A staged row replaces the table's even if it is older, as in a full read. */
  readonly asOneReading: boolean;
  /** The columns have changed, so every row is written again. Only for a full read. */
  readonly rewrite: boolean;
  /** The rows have a time `updated_at`: the row with the greater one is the newer. */
  readonly byUpdatedAt: boolean;
};

export type Merged = {
  readonly adds: readonly Add[];
  /** Files whose rows are now in `adds`, or dropped. */
  readonly removed: readonly Add[];
  readonly rows: number;
  readonly rowsBefore: number;
  readonly inserted: number;
  readonly updated: number;
  readonly dropped: number;
};
