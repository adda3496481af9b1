import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { defined } from '../../defined.ts';
import type { JsonLines } from '../../records/answer.ts';
import { copyToDataFile } from '../delta/data-file.ts';
import type { Field } from '../delta/schema.ts';
import { earliestOf, statisticsOf } from '../delta/statistics.ts';
import { literal, type Row } from '../duckdb.ts';
import type { Part } from '../part.ts';
import type { World } from '../world.ts';

/** Name and DuckDB type. */
export type ColumnOfFile = readonly [name: string, type: string];

type StagedFile = {
  readonly columns: readonly ColumnOfFile[];
  /** The end of the file's name, as `fileSuffix` makes it. */
  readonly suffix: string;
  /** How a large file is written instead, so that it can become a data file. */
  readonly asDataFile?: DataFileLayout;
};

export type DataFileLayout = Pick<StagedFile, 'columns' | 'suffix'> & {
  /** The columns of the data file. */
  readonly fields: readonly Field[];
  /** SQL for their values, given when the file is written (milliseconds since the epoch). */
  readonly values: (now: number) => string;
};

/** A part with this many rows, or bytes of JSON, is large enough for a data file. Smaller ones are merged into one. */
const rowsOfDataFile = 5_000;
const bytesOfDataFile = 16 * 2 ** 20;

/** The name of a part's statistics, which are staged with it. */
export function statisticsName(part: string): string {
  return `${part}.stats`;
}

/** DuckDB sizes its buffers by the longest line. They are never made smaller than for this one. */
const leastLongest = 4_194_304;

/**
 * DuckDB reads up to 32 MB of a file at once, and keeps them while it reads. With smaller files, which it reads one
 * after the other, a part of 10,000 incidents needs a quarter less memory.
 */
const bytesPerFile = 4 * 2 ** 20;

/** A part of at most a few pages is written as a light job, in parallel with heavy work. */
const lightBytes = 4 * 2 ** 20;

/** The end of a staged file's name. It identifies the file's columns: another set of columns has another suffix. */
export function fileSuffix(columns: string): string {
  return `.${createHash('sha256').update(columns).digest('hex').slice(0, 8)}.parquet`;
}

/** Collects lines of JSON in files, from which DuckDB makes one staged Parquet file in the end. */
export class LinesWriter {
  readonly #world: World;
  readonly #staging: string;
  readonly #file: StagedFile;
  /** A local folder for all files. */
  readonly #folder: string;
  /** Files of lines, in order; the last one is open. */
  readonly #paths: string[] = [];
  #json: FileHandle | undefined;
  #bytesInFile = 0;
  #rows = 0;
  #bytes = 0;
  #longest = leastLongest;
  #hasExtras = false;

  private constructor(world: World, staging: string, file: StagedFile, folder: string) {
    this.#world = world;
    this.#staging = staging;
    this.#file = file;
    this.#folder = folder;
  }

  /** @param staging the prefix of the run's files in the store, with a slash at the end */
  static async create(world: World, staging: string, file: StagedFile): Promise<LinesWriter> {
    const folder = await world.store.local.scratch(staging.slice(0, -1));
    return new LinesWriter(world, staging, file, folder);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add({ bytes, count, longest, hasExtras = true }: JsonLines): Promise<void> {
    const json = await this.#fileWithRoom();
    await json.appendFile(bytes);
    this.#rows += count;
    this.#bytes += bytes.byteLength;
    this.#bytesInFile += bytes.byteLength;
    this.#longest = Math.max(this.#longest, longest);
    this.#hasExtras ||= hasExtras;
  }

  /** Writes the file; `undefined` if no line was added. */
  async finish(): Promise<Part | undefined> {
    try {
      if (this.#rows === 0) return undefined;
      await this.#close();
      const isLarge = this.#rows >= rowsOfDataFile || this.#bytes >= bytesOfDataFile;
      const layout = isLarge && !this.#hasExtras ? this.#file.asDataFile : undefined;
      const name = `${randomUUID()}${(layout ?? this.#file).suffix}`;
      const file = join(this.#folder, name);
      const copied = await this.#copy(layout ? this.#asDataFile(layout, file) : this.#asPart(file));
      if (layout) await this.#stageStatistics(name, statisticsOf(copied, layout.fields));
      const bytes = await this.#world.store.upload(`${this.#staging}${name}`, file);
      const stagedAt = this.#world.now();
      const earliest = earliestOf(copied, 'created_at');
      const isDataFile = layout ? (true as const) : undefined;
      return { name, rows: this.#rows, bytes, stagedAt, ...defined({ earliest, isDataFile }) };
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #fileWithRoom(): Promise<FileHandle> {
    if (this.#json && this.#bytesInFile < bytesPerFile) return this.#json;
    await this.#close();
    const path = join(this.#folder, `rows-${this.#paths.length}.ndjson`);
    this.#json = await open(path, 'wx');
    this.#paths.push(path);
    this.#bytesInFile = 0;
    return this.#json;
  }

  async #close(): Promise<void> {
    const json = this.#json;
    this.#json = undefined;
    await json?.close();
  }

  /** @returns the statistics of the file that the SQL writes. */
  async #copy(sql: string): Promise<Row> {
    const weight = this.#bytes <= lightBytes ? 'light' : 'heavy';
    const options = { weight, repeatable: true } as const;
    const [copied] = await this.#world.duckDb.job((session) => session.rows(sql), options);
    return copied!;
  }

  #asPart(file: string): string {
    // A part is read once, and soon: lz4 costs less time than writing more bytes would. Data files are zstd.
    return `
      COPY (FROM ${this.#lines(this.#file.columns)}) TO ${literal(file)}
      (FORMAT parquet, COMPRESSION lz4_raw, RETURN_STATS)`;
  }

  #asDataFile({ columns, values }: DataFileLayout, file: string): string {
    return copyToDataFile(`SELECT ${values(this.#world.now())} FROM ${this.#lines(columns)}`, file);
  }

  /**
   * SQL that reads the collected lines. If a file has one column, as keys of parents do, DuckDB otherwise examines all
   * lines to decide whether they are records.
   */
  #lines(columns: readonly ColumnOfFile[]): string {
    const types = columns.map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    return `read_json([${this.#paths.map(literal).join(', ')}], format = 'newline_delimited',
      records = true, hive_partitioning = false, columns = {${types.join(', ')}}, maximum_object_size = ${this.#longest + 1024})`;
  }

  /** Before the part itself, so that no part is without them. */
  async #stageStatistics(part: string, statistics: string): Promise<void> {
    const file = join(this.#folder, 'statistics.json');
    await writeFile(file, statistics);
    await this.#world.store.upload(`${this.#staging}${statisticsName(part)}`, file);
  }
}
