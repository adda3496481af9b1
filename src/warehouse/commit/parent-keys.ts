import type { TableShape } from '../../tables/table.ts';
import type { KeyWriter, ParentKey, Part } from '../part.ts';
import type { ParentColumns } from '../committed-rows.ts';
import type { World } from '../world.ts';
import { type ColumnOfFile, fileSuffix, LinesWriter } from './lines-writer.ts';
import { keyOf } from './key.ts';
import { stagingOf } from './part-writer.ts';

/** The columns of a part with parents' keys, and of the temporary tables that hold them: `key0 VARCHAR` and so on. */
export function keyColumns(table: TableShape, by: ParentColumns): ColumnOfFile[] {
  return keyOf({ ...table, primaryKey: by }).columns.map(({ name, type }) => [name, type] as const);
}

/** Whether a part with parents' keys has the columns that the table declares now: only then can it be read. */
export function keysStagedByDeclaration(table: TableShape, by: ParentColumns, part: Part): boolean {
  return part.name.endsWith(fileSuffix(JSON.stringify(keyColumns(table, by))));
}

/** Collects the keys of parents as lines of JSON, from which DuckDB makes one Parquet file. */
export class ParentKeyWriter implements KeyWriter {
  readonly #names: readonly string[];
  readonly #lines: LinesWriter;

  private constructor(names: readonly string[], lines: LinesWriter) {
    this.#names = names;
    this.#lines = lines;
  }

  static async create(
    world: World,
    table: TableShape,
    { by, chainId }: { readonly by: ParentColumns; readonly chainId: string },
  ): Promise<ParentKeyWriter> {
    const columns = keyColumns(table, by);
    const suffix = fileSuffix(JSON.stringify(columns));
    const lines = await LinesWriter.create(world, stagingOf(table, chainId), { columns, suffix });
    return new ParentKeyWriter(
      columns.map(([name]) => name),
      lines,
    );
  }

  async add(keys: readonly ParentKey[]): Promise<void> {
    const texts = keys.map((key) =>
      JSON.stringify(Object.fromEntries(this.#names.map((name, n) => [name, key[n]]))),
    );
    const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
    const longest = texts.reduce((most, text) => Math.max(most, Buffer.byteLength(text)), 0);
    await this.#lines.add({ bytes, count: keys.length, longest });
  }

  finish(): Promise<Part | undefined> {
    return this.#lines.finish();
  }

  abort(): Promise<void> {
    return this.#lines.abort();
  }
}
