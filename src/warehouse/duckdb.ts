import { mkdir, rm } from 'node:fs/promises';

import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';

import { DestinationError, MemoryLimitError } from '../errors.ts';
import { FairTurns } from '../fair-turns.ts';
import type { ColumnType } from '../tables/table.ts';
import { openDuckDb } from './open-duckdb.ts';
import { WhenIdle } from './when-idle.ts';

/** The DuckDB type of each declared type. */
export const duckTypes: { readonly [T in ColumnType]: string } = {
  text: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  boolean: 'BOOLEAN',
  double: 'DOUBLE',
  bigint: 'BIGINT',
  json: 'VARCHAR',
};

/** One row of a result. 64-bit integers and times are text, as JSON needs them. */
export type Row = { readonly [column: string]: unknown };

/** The connection of one job. Its temporary tables are gone when the job ends. */
export type DuckSession = {
  /** The job ran out of memory the first time, so it has to work in smaller pieces. */
  readonly isCramped: boolean;
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<Row[]>;
  /** The rows of a query, a few thousand at a time, without holding all of them. */
  stream(sql: string): AsyncIterable<readonly (readonly DuckDBValue[])[]>;
};

/** How much of the memory a job may need: `light` for a few thousand rows, `heavy` for everything else. */
export type Weight = 'light' | 'heavy';

export type JobOptions = {
  /** `heavy` if left out. */
  readonly weight?: Weight;
  /**
   * The job leaves nothing behind if it fails half-way. If the memory does not suffice, it is done once more with all
   * of it, and `isCramped` tells it to work in smaller pieces.
   */
  readonly repeatable?: true;
};

/** Runs the jobs of one warehouse. */
export type Jobs = {
  /** Runs a job with its own connection when its turn comes. A job that starts another one may wait forever. */
  job<T>(work: (session: DuckSession) => Promise<T>, options?: JobOptions): Promise<T>;
};

/** Two heavy jobs at once at most, because each may fill its share of the memory, and next to them two light ones. */
const capacity = 8;
const shares: { readonly [W in Weight]: number } = { light: 1, heavy: 3 };
/**
 * Each job runs on the thread that asks for it, and two heavy ones run side by side. Threads of DuckDB's own that share
 * a job took a quarter more processor time for each row, and more memory.
 */
const threads = 1;
/** Bytes that an engine may hold unless it is told otherwise. */
export const usualMemory = 512_000_000;

export type EngineOptions = {
  /** Makes a local folder for data that does not fit in memory; called by the first job. */
  readonly makeSpillFolder: () => Promise<string>;
  /** Bytes that all jobs together may hold; `usualMemory` if left out. */
  readonly memory?: number;
};

/**
 * The engine for everything heavy. One instance has one limit for memory and threads, shared by all its jobs,
 * whichever warehouse they belong to.
 */
export class DuckDb {
  readonly #options: EngineOptions;
  readonly #turns = new FairTurns(capacity);
  readonly #whenIdle = new WhenIdle(() => this.#release());
  #opened: Promise<{ instance: DuckDBInstance; spill: string }> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** The jobs of one warehouse: warehouses take turns. */
  jobsOf(owner: string): Jobs {
    return { job: (work, options) => this.#job(owner, work, options) };
  }

  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    const { instance, spill } = await this.#opened;
    await this.#whenIdle.stop();
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  }

  async #job<T>(
    owner: string,
    work: (session: DuckSession) => Promise<T>,
    { weight = 'heavy', repeatable }: JobOptions = {},
  ): Promise<T> {
    try {
      return await this.#turns.take({ owner, weight: shares[weight] }, () => this.#run(work, weight));
    } catch (error) {
      if (!(error instanceof MemoryLimitError) || !repeatable) throw error;
      return this.#turns.take({ owner, weight: capacity }, () => this.#run(work, 'heavy', true));
    }
  }

  async #run<T>(work: (session: DuckSession) => Promise<T>, weight: Weight, isCramped = false): Promise<T> {
    const { instance, spill } = await this.#instance();
    // Upkeep of another process may have deleted the folder while nothing was spilled.
    await mkdir(spill, { recursive: true });
    const connection = await instance.connect();
    this.#whenIdle.begin();
    try {
      await connection.run("SET TimeZone = 'UTC'");
      return await work({ ...sessionOf(connection, this.#memory), isCramped });
    } finally {
      connection.closeSync();
      this.#whenIdle.end(weight === 'heavy');
    }
  }

  /** Setting the limit gives unused memory back to the system, even if the limit stays the same. */
  async #release(): Promise<void> {
    const { instance } = await this.#instance();
    const connection = await instance.connect();
    try {
      await connection.run(`SET memory_limit = '${this.#memory}B'`);
    } catch (error) {
      // A job has begun that needs all of it, so there is nothing to give back.
      if (!isOutOfMemory(error)) throw error;
    } finally {
      connection.closeSync();
    }
  }

  get #memory(): number {
    return this.#options.memory ?? usualMemory;
  }

  async #instance(): Promise<{ instance: DuckDBInstance; spill: string }> {
    this.#opened ??= this.#open();
    try {
      return await this.#opened;
    } catch (error) {
      // The cause may pass, as a full disk does: let the next job try again.
      this.#opened = undefined;
      throw error;
    }
  }

  async #open(): Promise<{ instance: DuckDBInstance; spill: string }> {
    const spill = await this.#options.makeSpillFolder();
    const instance = await openDuckDb({ spill, limits: { threads, memory: `${this.#memory}B` } });
    return { instance, spill };
  }
}

function sessionOf(connection: DuckDBConnection, memory: number): Omit<DuckSession, 'isCramped'> {
  const fail = failing(memory);
  return {
    async run(sql) {
      await connection.run(sql).catch(fail);
    },
    async rows(sql) {
      return (await connection.runAndReadAll(sql).catch(fail)).getRowObjectsJson();
    },
    async *stream(sql) {
      const [counted] = (
        await connection.runAndReadAll(`SELECT count(*) FROM (${sql})`).catch(fail)
      ).getRows();
      let left = Number(counted![0]);
      for await (const rows of (await connection.stream(sql).catch(fail)).yieldRows()) {
        left -= rows.length;
        yield rows;
      }
      // A stream that fails half-way just ends.
      if (left !== 0) throw new Error(`A query ended ${left} rows early.`);
    },
  };
}

function isOutOfMemory(error: unknown): boolean {
  return (error as Error).message.startsWith('Out of Memory Error');
}

/**
 * Throws DuckDB's errors as what they are. It reports errors of the system as text only: the code is restored, so that
 * callers do not take a full disk for a bug.
 */
function failing(memory: number): (cause: unknown) => never {
  return (cause) => {
    const { message } = cause as Error;
    if (/No space left on device|Disk quota exceeded/.test(message)) {
      throw Object.assign(new Error(message, { cause }), { code: 'ENOSPC' });
    }
    if (isOutOfMemory(cause)) throw new MemoryLimitError(memory, { cause });
    const missing = /^IO Error: No files found that match the pattern "(.*)"/.exec(message)?.[1];
    if (missing !== undefined) {
      throw new DestinationError(
        `${missing} is missing.`,
        'Restore it from a backup, or delete the table folder and sync again.',
        { cause },
      );
    }
    throw cause;
  };
}

/** A name as SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL. It must not contain a NUL character. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * SQL that reads Parquet files. `file_index` is the place of a row's file in the list, `file_row_number` the row's
 * place in its file. Without `hive_partitioning = false` a destination such as `lake/env=prod` would add a column
 * `env` to its tables.
 */
export function parquetFiles(paths: readonly string[], options = ''): string {
  return `read_parquet([${paths.map(literal).join(', ')}], hive_partitioning = false${options})`;
}
