import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { defined } from '../../defined.ts';
import type { JsonLines } from '../../records/answer.ts';
import { earliestOf } from '../delta/statistics.ts';
import { literal } from '../duckdb.ts';
import type { Part } from '../part.ts';
import type { World } from '../world.ts';

/** Name and DuckDB type. */
export type ColumnOfFile = readonly [name: string, type: string];

type StagedFile = {
  readonly columns: readonly ColumnOfFile[];
  /** The end of the file's name, as `fileSuffix` makes it. */
  readonly suffix: string;
};

/** DuckDB sizes its buffers by the longest line. They are never made smaller than for this one. */
const leastLongest = 4_194_304;

/** A part of at most a few pages is written as a light job, in parallel with heavy work. */
const lightBytes = 4 * 2 ** 20;

/** The end of a staged file's name. It identifies the file's columns: another set of columns has another suffix. */
export function fileSuffix(columns: string): string {
  return `.${createHash('sha256').update(columns).digest('hex').slice(0, 8)}.parquet`;
}

/** Collects lines of JSON in a file, from which DuckDB makes one staged Parquet file in the end. */
export class LinesWriter {
  readonly #world: World;
  readonly #staging: string;
  readonly #file: StagedFile;
  /** A local folder for the two files. */
  readonly #folder: string;
  readonly #json: FileHandle;
  #rows = 0;
  #bytes = 0;
  #longest = leastLongest;
  #open = true;

  private constructor(world: World, staging: string, file: StagedFile, folder: string, json: FileHandle) {
    this.#world = world;
    this.#staging = staging;
    this.#file = file;
    this.#folder = folder;
    this.#json = json;
  }

  /** @param staging the prefix of the run's files in the store, with a slash at the end */
  static async create(world: World, staging: string, file: StagedFile): Promise<LinesWriter> {
    const folder = await world.store.local.scratch(staging.slice(0, -1));
    const json = await open(join(folder, 'rows.ndjson'), 'wx');
    return new LinesWriter(world, staging, file, folder, json);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add({ bytes, count, longest }: JsonLines): Promise<void> {
    await this.#json.appendFile(bytes);
    this.#rows += count;
    this.#bytes += bytes.byteLength;
    this.#longest = Math.max(this.#longest, longest);
  }

  /** Writes the file; `undefined` if no line was added. */
  async finish(): Promise<Part | undefined> {
    try {
      if (this.#rows === 0) return undefined;
      await this.#close();
      const name = `${randomUUID()}${this.#file.suffix}`;
      const file = join(this.#folder, name);
      const { store, duckDb, now } = this.#world;
      const weight = this.#bytes <= lightBytes ? 'light' : 'heavy';
      const [copied] = await duckDb.job((session) => session.rows(this.#copyTo(file)), {
        weight,
        repeatable: true,
      });
      const bytes = await store.upload(`${this.#staging}${name}`, file);
      const earliest = earliestOf(copied!, 'created_at');
      return { name, rows: this.#rows, bytes, stagedAt: now(), ...defined({ earliest }) };
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#json.close();
  }

  #copyTo(file: string): string {
    const columns = this.#file.columns.map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    const longest = this.#longest + 1024;
    // A part is read once, and soon: lz4 costs less time than writing more bytes would. Data files are zstd.
    return `
      COPY (
        FROM read_json(${literal(join(this.#folder, 'rows.ndjson'))}, format = 'newline_delimited',
          hive_partitioning = false, columns = {${columns.join(', ')}}, maximum_object_size = ${longest})
      ) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4_raw, RETURN_STATS)`;
  }
}
