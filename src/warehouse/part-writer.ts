import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { type ApiRecord, declaredTypes, type Table } from '../tables/table.ts';
import { type DuckDb, duckTypes, literal } from './duckdb.ts';
import { rowsMaker, rawColumn, unknownColumn } from './rows.ts';
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

/** Up to here a text's own length will do for the length of its longest object. */
const shortText = 4_194_304;

/** At least the bytes of the longest object in the text of an array: DuckDB's buffers are sized from it. */
function longestObject(text: string, bytes: number): number {
  if (bytes <= shortText) return shortText;
  const rows = JSON.parse(text) as unknown[];
  return Math.max(shortText, ...rows.map((row) => Buffer.byteLength(JSON.stringify(row))));
}

/** Collects records as one JSON array in a file; DuckDB makes one Parquet file of it at the end. */
export class JsonPartWriter implements PartWriter {
  readonly #store: Store;
  readonly #duckDb: DuckDb;
  readonly #table: Table;
  readonly #staging: string;
  readonly #rowsOf: ReturnType<typeof rowsMaker>;
  readonly #folder: string;
  readonly #json: FileHandle;
  #rows = 0;
  #bytes = 0;
  #longest = shortText;
  #open = true;

  private constructor(
    store: Store,
    duckDb: DuckDb,
    table: Table,
    staging: string,
    folder: string,
    json: FileHandle,
  ) {
    this.#store = store;
    this.#duckDb = duckDb;
    this.#table = table;
    this.#staging = staging;
    this.#rowsOf = rowsMaker(table);
    this.#folder = folder;
    this.#json = json;
  }

  static async create(store: Store, duckDb: DuckDb, table: Table, runId: string): Promise<JsonPartWriter> {
    const staging = stagingOf(table, runId);
    const folder = await store.local.scratch(staging.slice(0, -1));
    const json = await open(join(folder, 'rows.json'), 'wx');
    return new JsonPartWriter(store, duckDb, table, staging, folder, json);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add(records: readonly ApiRecord[], pass?: string): Promise<void> {
    if (records.length === 0) return;
    const text = this.#rowsOf(records, pass, this.#rows);
    const bytes = Buffer.from(`${this.#rows === 0 ? '[' : ','}${text.slice(1, -1)}`);
    await this.#json.appendFile(bytes);
    this.#longest = Math.max(this.#longest, longestObject(text, bytes.byteLength));
    this.#rows += records.length;
    this.#bytes += bytes.byteLength;
  }

  async finish(): Promise<Part | undefined> {
    try {
      if (this.#rows === 0) return undefined;
      await this.#json.appendFile(']');
      await this.#close();
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
    await this.#json.close();
  }

  #copyTo(file: string): string {
    const columns = [
      ...Object.entries(this.#table.columns).map(([name, { type }]) => [name, duckTypes[type]] as const),
      [rawColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
      [unknownColumn, 'MAP(VARCHAR, VARCHAR)'] as const,
    ].map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    const longest = this.#longest + 1024;
    const source = `read_json(${literal(join(this.#folder, 'rows.json'))}, format = 'array', hive_partitioning = false, columns = {${columns.join(', ')}}, maximum_object_size = ${longest})`;
    // A part is read once, soon: lz4 takes less time than it saves on disk. Data files are zstd.
    return `COPY (FROM ${source}) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4_raw)`;
  }
}
