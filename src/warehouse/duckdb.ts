import { mkdir, rm } from 'node:fs/promises';

import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

import { DestinationError } from '../errors.ts';
import type { ColumnType } from '../tables/table.ts';
import { openDuckDb } from './open-duckdb.ts';

/** How a declared type is called in DuckDB. */
export const duckTypes: { readonly [T in ColumnType]: string } = {
  text: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  boolean: 'BOOLEAN',
  double: 'DOUBLE',
  bigint: 'BIGINT',
  json: 'VARCHAR',
};

/** A row of a result: 64-bit integers and times as text, as JSON needs them. */
export type Row = { readonly [column: string]: unknown };

/** One job's connection; temporary tables live as long as the job. */
export type DuckSession = {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<Row[]>;
};

/** Jobs that may run at once: each may fill its share of the memory. */
const jobsAtOnce = 2;

/** The engine for everything heavy. One instance has one limit of memory and threads, whatever runs in it. */
export class DuckDb {
  readonly #makeSpillFolder: () => Promise<string>;
  #opened: Promise<{ instance: DuckDBInstance; spill: string }> | undefined;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param makeSpillFolder makes a local folder for what does not fit in memory; asked at the first job. */
  constructor(makeSpillFolder: () => Promise<string>) {
    this.#makeSpillFolder = makeSpillFolder;
  }

  /** Runs a job with a connection of its own, once its turn comes. A job must not start another one. */
  async job<T>(work: (session: DuckSession) => Promise<T>): Promise<T> {
    if (this.#running === jobsAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      const { instance, spill } = await this.#instance();
      // Somebody's sweep may have taken the folder while nothing was spilled.
      await mkdir(spill, { recursive: true });
      const connection = await instance.connect();
      try {
        await connection.run("SET TimeZone = 'UTC'");
        return await work(sessionOf(connection));
      } finally {
        connection.closeSync();
      }
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
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
      // A full disk is no reason to refuse every later job.
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
  };
}

/** Of the system's errors DuckDB gives words and no code, by which others know that they are no defect. */
function fail(cause: unknown): never {
  const { message } = cause as Error;
  if (/No space left on device|Disk quota exceeded/.test(message)) {
    throw Object.assign(new Error(message, { cause }), { code: 'ENOSPC' });
  }
  const gone = /^IO Error: No files found that match the pattern "(.*)"/.exec(message)?.[1];
  if (gone !== undefined) {
    throw new DestinationError(
      `${gone} is missing.`,
      'Restore it from a backup, or delete the table folder and sync again.',
      { cause },
    );
  }
  throw cause;
}

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in SQL. It must not hold a NUL character. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * A relation over Parquet files; `file_index` and `file_row_number` say where a row stands.
 * A destination like `lake/env=prod` must not give its tables a column `env`.
 */
export function parquetFiles(paths: readonly string[], options = ''): string {
  return `read_parquet([${paths.map(literal).join(', ')}], hive_partitioning = false${options})`;
}
