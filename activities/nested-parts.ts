import type { JsonLines } from '../src/records/answer.ts';
import type { NestedTable } from '../src/tables/nested/nested.ts';
import type { KeyWriter, ParentKey, Part, PartWriter } from '../src/warehouse/part.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';

/** The most rows and bytes of JSON in one part: as many as go into a data file. */
const rowsPerPart = 100_000;
const bytesPerPart = 128 * 2 ** 20;

/**
 * Collects the rows of a nested table, and the keys of the parents whose rows they are. The parts are written in the
 * end: until then DuckDB is busy with reading the parents.
 */
export class NestedParts {
  readonly #warehouse: Warehouse;
  readonly #table: NestedTable;
  readonly #chainId: string;
  readonly #keys: KeyWriter;
  readonly #writers: PartWriter[] = [];
  #leftOut = 0;

  private constructor(warehouse: Warehouse, table: NestedTable, chainId: string, keys: KeyWriter) {
    this.#warehouse = warehouse;
    this.#table = table;
    this.#chainId = chainId;
    this.#keys = keys;
  }

  static async create(warehouse: Warehouse, table: NestedTable, chainId: string): Promise<NestedParts> {
    const keys = await warehouse.createKeys(table, table.itemsOf.by, chainId);
    return new NestedParts(warehouse, table, chainId, keys);
  }

  /** How many items could not be rows. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** @param leftOut how many items could not be rows so far */
  async add(rows: JsonLines, keys: readonly ParentKey[], leftOut: number): Promise<void> {
    this.#leftOut = leftOut;
    if (rows.count > 0) await (await this.#writer()).add(rows);
    if (keys.length > 0) await this.#keys.add(keys);
  }

  /** Writes the parts. What cannot be written is deleted. */
  async finish(): Promise<{ readonly parts: readonly Part[]; readonly keys: readonly Part[] }> {
    try {
      const parts: Part[] = [];
      for (const writer of this.#writers) {
        const part = await writer.finish();
        if (part) parts.push(part);
      }
      const keys = await this.#keys.finish();
      return { parts, keys: keys ? [keys] : [] };
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    for (const writer of this.#writers) await writer.abort();
    await this.#keys.abort();
  }

  async #writer(): Promise<PartWriter> {
    const last = this.#writers.at(-1);
    if (last && last.rows < rowsPerPart && last.bytes < bytesPerPart) return last;
    const next = await this.#warehouse.createPart(this.#table, this.#chainId);
    this.#writers.push(next);
    return next;
  }
}
