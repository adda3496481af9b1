import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { declaredTypes, type Table } from '../../tables/table.ts';
import type { JsonLines } from '../../records/answer.ts';
import { type DuckDb, duckTypes, literal } from '../duckdb.ts';
import { rawColumn, unknownColumn } from '../../records/rows.ts';
import { type Store, stagingFolder } from '../store/store.ts';
import type { Part, PartWriter } from '../warehouse.ts';

/** Where a run's parts are, with a slash at the end. */
export function stagingOf(table: Table, chainId: string): string {
  return `${stagingFolder}/${table.name}/${chainId}/`;
}

/** Parts are read by the declaration they were written with. */
export function stagedByDeclaration(table: Table, part: Part): boolean {
  return part.name.endsWith(partSuffix(table));
}

function partSuffix(table: Table): string {
  return `.${createHash('sha256').update(declaredTypes(table)).digest('hex').slice(0, 8)}.parquet`;
}

/** DuckDB's buffers are sized from the longest line; it is never told of less. */
const leastLongest = 4_194_304;

/** Collects rows as lines of JSON in a file; DuckDB makes one Parquet file of it at the end. */
export class JsonPartWriter implements PartWriter {
  readonly #store: Store;
  readonly #duckDb: DuckDb;
  readonly #table: Table;
  readonly #staging: string;
  readonly #now: () => number;
  readonly #folder: string;
  readonly #json: FileHandle;
  #rows = 0;
  #bytes = 0;
  #longest = leastLongest;
  #open = true;

  private constructor(
    store: Store,
    duckDb: DuckDb,
    table: Table,
    staging: string,
    folder: string,
    json: FileHandle,
    now: () => number,
  ) {
    this.#store = store;
    this.#duckDb = duckDb;
    this.#table = table;
    this.#staging = staging;
    this.#folder = folder;
    this.#json = json;
    this.#now = now;
  }

  static async create(
    store: Store,
    duckDb: DuckDb,
    table: Table,
    chainId: string,
    now: () => number,
  ): Promise<JsonPartWriter> {
    const staging = stagingOf(table, chainId);
    const folder = await store.local.scratch(staging.slice(0, -1));
    const json = await open(join(folder, 'rows.ndjson'), 'wx');
    return new JsonPartWriter(store, duckDb, table, staging, folder, json, now);
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

  async finish(): Promise<Part | undefined> {
    try {
      if (this.#rows === 0) return undefined;
      await this.#close();
      const name = `${randomUUID()}${partSuffix(this.#table)}`;
      const file = join(this.#folder, name);
      await this.#duckDb.job((session) => session.run(this.#copyTo(file)));
      const bytes = await this.#store.upload(`${this.#staging}${name}`, file);
      return { name, rows: this.#rows, bytes, stagedAt: this.#now() };
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
    const columns = [
      ...Object.entries(this.#table.columns).map(([name, { type }]) => [name, duckTypes[type]] as const),
      [rawColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
      [unknownColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
    ].map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    const source = `read_json(${literal(join(this.#folder, 'rows.ndjson'))}, format = 'newline_delimited', hive_partitioning = false, columns = {${columns.join(', ')}}, maximum_object_size = ${this.#longest + 1024})`;
    // A part is read once, soon: lz4 takes less time than it saves on disk. Data files are zstd.
    return `COPY (FROM ${source}) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4_raw)`;
  }
}
