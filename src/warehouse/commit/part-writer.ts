import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { declaredTypes, type Table } from '../../tables/table.ts';
import type { JsonLines } from '../../records/answer.ts';
import { duckTypes, literal } from '../duckdb.ts';
import { rawColumn } from '../../records/rows.ts';
import { furtherColumn, unknownColumn } from '../../records/unknown-fields.ts';
import { stagingFolder } from '../store/store.ts';
import type { Part, PartWriter } from '../warehouse.ts';
import type { World } from '../world.ts';

/** The prefix of a run's parts in the store, with a slash at the end. */
export function stagingOf(table: Table, chainId: string): string {
  return `${stagingFolder}/${table.name}/${chainId}/`;
}

/** Whether a part was staged with the columns that the table declares now: only then can it be read. */
export function stagedByDeclaration(table: Table, part: Part): boolean {
  return part.name.endsWith(partSuffix(table));
}

function partSuffix(table: Table): string {
  const columns = declaredTypes(table) + JSON.stringify(extraColumns);
  return `.${createHash('sha256').update(columns).digest('hex').slice(0, 8)}.parquet`;
}

/** The columns of every part in addition to the declared ones. */
const extraColumns = [
  [rawColumn, 'MAP(VARCHAR, VARCHAR)'],
  [unknownColumn, 'MAP(VARCHAR, VARCHAR)'],
  [furtherColumn, 'VARCHAR'],
] as const;

/** DuckDB sizes its buffers by the longest line. They are never made smaller than for this one. */
const leastLongest = 4_194_304;

/** Collects rows as lines of JSON in a file, from which DuckDB makes one Parquet file in the end. */
export class JsonPartWriter implements PartWriter {
  readonly #world: World;
  readonly #table: Table;
  readonly #staging: string;
  /** A local folder for the two files. */
  readonly #folder: string;
  readonly #json: FileHandle;
  #rows = 0;
  #bytes = 0;
  #longest = leastLongest;
  #open = true;

  private constructor(world: World, table: Table, staging: string, folder: string, json: FileHandle) {
    this.#world = world;
    this.#table = table;
    this.#staging = staging;
    this.#folder = folder;
    this.#json = json;
  }

  static async create(world: World, table: Table, chainId: string): Promise<JsonPartWriter> {
    const staging = stagingOf(table, chainId);
    const folder = await world.store.local.scratch(staging.slice(0, -1));
    const json = await open(join(folder, 'rows.ndjson'), 'wx');
    return new JsonPartWriter(world, table, staging, folder, json);
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
      const { store, duckDb, now } = this.#world;
      await duckDb.job((session) => session.run(this.#copyTo(file)));
      const bytes = await store.upload(`${this.#staging}${name}`, file);
      return { name, rows: this.#rows, bytes, stagedAt: now() };
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
      ...extraColumns,
    ].map(([name, type]) => `${literal(name)}: ${literal(type)}`);
    const longest = this.#longest + 1024;
    // A part is read once, and soon: lz4 costs less time than writing more bytes would. Data files are zstd.
    return `
      COPY (
        FROM read_json(${literal(join(this.#folder, 'rows.ndjson'))}, format = 'newline_delimited',
          hive_partitioning = false, columns = {${columns.join(', ')}}, maximum_object_size = ${longest})
      ) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4_raw)`;
  }
}
