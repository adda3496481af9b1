import { CursorRejectedError, TableUnavailableError, UnexpectedResponseError } from '../src/errors.ts';
import { childSlice } from '../src/incident-io/children.ts';
import type { Call, Client, Param } from '../src/incident-io/client.ts';
import { readLines } from '../src/incident-io/pages.ts';
import type { JsonLines } from '../src/records/answer.ts';
import type { AnswerRows } from '../src/records/answer-rows.ts';
import type { ChildTable } from '../src/tables/parents.ts';
import type { ParentRow } from '../src/warehouse/committed-rows.ts';

/** How often a parent's list is read again from the start because its cursor was refused or came back. */
const restarts = 3;
/** After this many pages in a row without a record, a list is assumed to have no end. */
const mostEmptyPages = 1_000;

/** What was read of one parent. Its rows are kept until they are complete, so that they come from a single reading. */
export type ParentEnd = {
  readonly lines: readonly JsonLines[];
  readonly rows: number;
  /** The cursor where the reading stopped before the end of the list. */
  readonly after?: string;
  /** The API does not know the parent. */
  readonly gone?: TableUnavailableError;
  readonly note?: string;
};

/** Reads the list of one parent after the other. */
export class ChildrenReader {
  readonly #table: ChildTable;
  readonly #client: Client;
  readonly #rows: AnswerRows;
  readonly #params: readonly Param[];
  /** Called once per page. */
  readonly #onPage: () => void;

  constructor(
    { table, client }: { readonly table: ChildTable; readonly client: Client },
    rows: AnswerRows,
    params: readonly Param[],
    onPage: () => void,
  ) {
    this.#table = table;
    this.#client = client;
    this.#rows = rows;
    this.#params = params;
    this.#onPage = onPage;
  }

  /**
   * Reads a parent's list to its end, or until `isEnough` of what it has read.
   * @param from the cursor where an earlier batch stopped
   *
   * Throws the errors of `readLines`, and `CursorRejectedError` for a list that cannot be continued.
   */
  async read(
    parent: ParentRow,
    from: string | undefined,
    call: Call,
    isEnough: (rows: number, bytes: number) => boolean,
  ): Promise<ParentEnd> {
    for (let begun = 0; ; begun += 1) {
      try {
        return await this.#readOnce(parent, from, call, isEnough);
      } catch (error) {
        if (error instanceof TableUnavailableError && error.facts.status === 404 && from === undefined) {
          return { lines: [], rows: 0, gone: error };
        }
        // The part of this list that an earlier batch has read cannot be read again here.
        if (!(error instanceof CursorRejectedError) || from !== undefined || begun === restarts) throw error;
      }
    }
  }

  async #readOnce(
    parent: ParentRow,
    from: string | undefined,
    call: Call,
    isEnough: (rows: number, bytes: number) => boolean,
  ): Promise<ParentEnd> {
    const slice = childSlice(this.#table, parent.values, this.#params);
    const reader = { client: this.#client, table: this.#table, call };
    const seen = new Set(from === undefined ? [] : [from]);
    const lines: JsonLines[] = [];
    let rows = 0;
    let bytes = 0;
    let emptyPages = 0;
    let note: { readonly note: string } | undefined;
    let after = from;
    for (;;) {
      const page = await readLines(reader, slice, after, this.#rows, rows);
      this.#onPage();
      if (page.note !== undefined) note = { note: page.note };
      if (page.lines.count > 0) lines.push({ ...page.lines, bytes: Buffer.from(page.lines.bytes) });
      rows += page.lines.count;
      bytes += page.lines.bytes.byteLength;
      if (page.after === undefined) return { lines, rows, ...note };
      emptyPages = page.lines.count > 0 ? 0 : emptyPages + 1;
      if (emptyPages === mostEmptyPages) {
        throw new UnexpectedResponseError(
          `GET ${slice.parent!.path}: ${mostEmptyPages} pages in a row without a record, and each names another one`,
        );
      }
      if (seen.has(page.after)) {
        throw new CursorRejectedError(`GET ${slice.parent!.path}: a cursor came a second time`);
      }
      seen.add(page.after);
      after = page.after;
      if (isEnough(rows, bytes)) return { lines, rows, after, ...note };
    }
  }
}
