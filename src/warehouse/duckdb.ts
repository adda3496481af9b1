import { mkdir, rm } from 'node:fs/promises';

import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import pLimit from 'p-limit';

import { DestinationError } from '../errors.ts';
import type { ColumnType } from '../tables/table.ts';
import { openDuckDb } from './open-duckdb.ts';

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
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<Row[]>;
  /** The rows of a query, a few thousand at a time, without holding all of them. */
  stream(sql: string): AsyncIterable<readonly (readonly DuckDBValue[])[]>;
};

/** Two jobs at once at most, because each may fill its share of the memory. */
const jobsAtOnce = 2;

/** The engine for everything heavy. One instance has one limit for memory and threads, shared by all its jobs. */
export class DuckDb {
  readonly #makeSpillFolder: () => Promise<string>;
  readonly #limit = pLimit(jobsAtOnce);
  #opened: Promise<{ instance: DuckDBInstance; spill: string }> | undefined;

  /** @param makeSpillFolder makes a local folder for data that does not fit in memory; called by the first job. */
  constructor(makeSpillFolder: () => Promise<string>) {
    this.#makeSpillFolder = makeSpillFolder;
  }

  /** Runs a job with its own connection when its turn comes. A job that starts another one may wait forever. */
  job<T>(work: (session: DuckSession) => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      const { instance, spill } = await this.#instance();
      // Upkeep of another process may have deleted the folder while nothing was spilled.
      await mkdir(spill, { recursive: true });
      const connection = await instance.connect();
      try {
        await connection.run("SET TimeZone = 'UTC'");
        return await work(sessionOf(connection));
      } finally {
        connection.closeSync();
      }
    });
  }

  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    const { instance, spill } = await this.#opened;
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
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
    const spill = await this.#makeSpillFolder();
    const instance = await openDuckDb({ spill, limits: { threads: 2, memory: '512MB' } });
    return { instance, spill };
  }
}

function sessionOf(connection: DuckDBConnection): DuckSession {
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

/** DuckDB reports OS errors as text only; restore the code so that callers do not take a full disk for a bug. */
function fail(cause: unknown): never {
  const { message } = cause as Error;
  if (/No space left on device|Disk quota exceeded/.test(message)) {
    throw Object.assign(new Error(message, { cause }), { code: 'ENOSPC' });
  }
  const missing = /^IO Error: No files found that match the pattern "(.*)"/.exec(message)?.[1];
  if (missing !== undefined) {
    throw new DestinationError(
      `${missing} is missing.`,
      'Restore it from a backup, or delete the table folder and sync again.',
      { cause },
    );
  }
  throw cause;
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
