import { platformColumns } from '../columns.ts';
import { type PlatformConfig, withoutWarehouse } from '../config.ts';
import { describeResult } from '../describe-result.ts';
import { platformFailure } from '../failure-type.ts';
import type { LineOutput } from '../line-output.ts';
import { linesSql } from '../lines-sql.ts';
import { openPlace } from '../place.ts';
import { type Given, readStreams, type Stream, type Told } from '../read-streams.ts';
import { blobOf, type StateBlob, type StreamState } from '../stream-state.ts';
import { defaultSelections, type Selection, selectedTable, selectionsIn } from './catalog.ts';
import { singerDialect } from './dialect.ts';
import { activateVersion, recordParts, schemaMessage, stateMessage } from './messages.ts';

/** Writes a line of the log, which goes to standard error: any other line on standard output ends every target. */
export type Say = (level: 'INFO' | 'WARNING' | 'CRITICAL', text: string) => void;

type SingerStream = Stream & Pick<Selection, 'without'>;

/** Prints the rows of the selected streams. @returns whether all streams were read */
export async function sync(
  config: PlatformConfig,
  { catalog, state }: { readonly catalog: unknown; readonly state: unknown },
  { output, say, signal }: { readonly output: LineOutput; readonly say: Say; readonly signal: AbortSignal },
): Promise<boolean> {
  const bookmarks = bookmarksIn(state);
  const selections =
    catalog === undefined ? defaultSelections(config.warehouse !== undefined) : selectionsIn(catalog);
  const streams = selections.map((selection): SingerStream => ({
    ...selection,
    table: () => selectedTable(selection),
    whole: false,
    state: bookmarks.get(selection.name),
    // A target can drop the rows that are not printed again.
    replaces: { tooOld: true, deleted: config.singerDeletes === 'snapshot' },
  }));
  const place = await openPlace(config);
  try {
    if (!place.isKept) say('WARNING', `The config names no warehouse. ${withoutWarehouse}`);
    const told = new SingerTold(config, bookmarks, output, say);
    const failed = await readStreams(config, place, streams, told.asTold(), signal);
    // Some targets lose a state that is followed by a record.
    await output.message(stateMessage(bookmarks));
    if (failed > 0) say('CRITICAL', `${failed} of ${streams.length} streams could not be read.`);
    return failed === 0;
  } finally {
    await place.close();
  }
}

/** The bookmarks of a state, by stream. Those that are not ours are refused when their stream is read. */
function bookmarksIn(state: unknown): Map<string, unknown> {
  const bookmarks = (state as { readonly bookmarks?: unknown } | null | undefined)?.bookmarks;
  const isObject = typeof bookmarks === 'object' && bookmarks !== null;
  return new Map(isObject ? Object.entries(bookmarks) : []);
}

/** Turns reports about streams into Singer's messages. */
class SingerTold {
  readonly #config: PlatformConfig;
  readonly #bookmarks: Map<string, unknown>;
  readonly #output: LineOutput;
  readonly #say: Say;
  readonly #began = Date.now();
  /** By stream: the version that its rows are printed under, and whether it is to be activated. */
  readonly #versions = new Map<string, { readonly version: number; readonly isWhole: boolean }>();

  constructor(config: PlatformConfig, bookmarks: Map<string, unknown>, output: LineOutput, say: Say) {
    this.#config = config;
    this.#bookmarks = bookmarks;
    this.#output = output;
    this.#say = say;
  }

  asTold(): Told<SingerStream> {
    const say = this.#say;
    return {
      started: ({ name }) => say('INFO', `${name}: begins`),
      waits: ({ name }, until) => {
        if (until !== undefined)
          say('INFO', `${name}: waits for the rate limit until ${new Date(until).toISOString()}`);
      },
      synced: ({ name }, result) => {
        for (const { level, text } of describeResult(name, result))
          say(level === 'WARN' ? 'WARNING' : level, text);
      },
      begin: (stream, given) => this.#begin(stream, given),
      rows: async ({ name }, { path }, reached) => {
        await this.#output.file(path);
        if (reached) await this.#reached(name, reached);
      },
      complete: async ({ name }, reached) => {
        const { version, isWhole } = this.#versions.get(name)!;
        if (isWhole) await this.#output.message(activateVersion(name, version));
        await this.#reached(name, reached);
      },
      failed: ({ name }, error) => {
        const { type, message, stack } = platformFailure(error);
        say('CRITICAL', `${name}: ${message} (${type})${stack === undefined ? '' : `\n${stack}`}`);
        return Promise.resolve();
      },
    };
  }

  async #begin({ name, without }: SingerStream, given: Given): Promise<ReturnType<typeof linesSql>> {
    const dialect = singerDialect(this.#config);
    const columns = platformColumns(given.table, given.after, dialect).filter(
      (column) => !without.has(column.name),
    );
    const before = activeIn(this.#bookmarks.get(name));
    // A new version only if all rows are printed again, because rows of other versions are deleted.
    const version = before !== undefined && (!given.isWhole || given.continued) ? before : this.#began;
    this.#versions.set(name, { version, isWhole: given.isWhole });
    await this.#output.message(schemaMessage(given.table, columns));
    return linesSql(columns, given, dialect, recordParts(name, version, this.#began));
  }

  async #reached(name: string, reached: StreamState): Promise<void> {
    this.#bookmarks.set(name, blobOf(reached, { v_active: this.#versions.get(name)!.version }));
    await this.#output.message(stateMessage(this.#bookmarks));
  }
}

/** The version of a stream's rows at the target. */
function activeIn(bookmark: unknown): number | undefined {
  const version = (bookmark as StateBlob | null | undefined)?.['v_active'];
  return typeof version === 'number' ? version : undefined;
}
