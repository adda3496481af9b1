import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { type ApiRecord, declaredTypes, type Table } from '../tables/table.ts';
import { type DuckDb, duckTypes, literal } from './duckdb.ts';
import { lineMaker, rawColumn, unknownColumn } from './rows.ts';
import { type Store, stagingFolder } from './store.ts';
import type { Part, PartWriter } from './warehouse.ts';

/** Where a run's parts are, with a slash at the end. */
export function stagingOf(table: Table, runId: string): string {
  return `${stagingFolder}/${table.name}/${runId}/`;
}

/** Parts are read by the declaration they were written with. */
export function stagedByDeclaration(table: Table, part: Part): boolean {
  return part.name.endsWith(partSuffix(table));
}

function partSuffix(table: Table): string {
  return `.${createHash('sha256').update(declaredTypes(table)).digest('hex').slice(0, 8)}.parquet`;
}

/** Collects records as lines of JSON in a file; DuckDB makes one Parquet file of it at the end. */
export class NdjsonPartWriter implements PartWriter {
  readonly #store: Store;
  readonly #duckDb: DuckDb;
  readonly #table: Table;
  readonly #staging: string;
  readonly #lineOf: ReturnType<typeof lineMaker>;
  readonly #folder: string;
  readonly #lines: FileHandle;
  #rows = 0;
  #bytes = 0;
  #longest = 0;
  #open = true;

  private constructor(
    store: Store,
    duckDb: DuckDb,
    table: Table,
    staging: string,
    folder: string,
    lines: FileHandle,
  ) {
    this.#store = store;
    this.#duckDb = duckDb;
    this.#table = table;
    this.#staging = staging;
    this.#lineOf = lineMaker(table);
    this.#folder = folder;
    this.#lines = lines;
  }

  static async create(store: Store, duckDb: DuckDb, table: Table, runId: string): Promise<NdjsonPartWriter> {
    const staging = stagingOf(table, runId);
    const folder = await store.scratch(staging.slice(0, -1));
    const lines = await open(join(folder, 'rows.ndjson'), 'wx');
    return new NdjsonPartWriter(store, duckDb, table, staging, folder, lines);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add(records: readonly ApiRecord[], pass?: string): Promise<void> {
    let text = '';
    let longest = this.#longest;
    for (const [index, record] of records.entries()) {
      const line = this.#lineOf(record, pass, this.#rows + index + 1);
      // A UTF-16 unit takes three bytes at most; only a long line is worth counting.
      const most = line.length < 1_000_000 ? line.length * 3 : Buffer.byteLength(line);
      if (most > longest) longest = most;
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text);
    await this.#lines.appendFile(bytes);
    this.#longest = longest;
    this.#rows += records.length;
    this.#bytes += bytes.byteLength;
  }

  async finish(): Promise<Part | undefined> {
    try {
      await this.#close();
      if (this.#rows === 0) return undefined;
      const name = `${randomUUID()}${partSuffix(this.#table)}`;
      const file = join(this.#folder, name);
      await this.#duckDb.job((session) => session.run(this.#copyTo(file)));
      const bytes = await this.#store.upload(`${this.#staging}${name}`, file);
      return { name, rows: this.#rows, bytes, stagedAt: Date.now() };
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
    await this.#lines.close();
  }

  #copyTo(file: string): string {
    const columns = [
      ...Object.entries(this.#table.columns).map(([name, { type }]) => [name, duckTypes[type]] as const),
      [rawColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
      [unknownColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
    ].map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    // DuckDB's read buffers are sized from the longest object, two a thread.
    const longest = Math.max(this.#longest + 1024, 4_194_304);
    const source = `read_json(${literal(join(this.#folder, 'rows.ndjson'))}, format = 'newline_delimited', columns = {${columns.join(', ')}}, maximum_object_size = ${longest})`;
    return `COPY (FROM ${source}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`;
  }
}
