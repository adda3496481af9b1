import { LRUCache } from 'lru-cache';
import type { StoredObject } from '../store/store.ts';
import type { Snapshot } from './snapshot.ts';

/** A snapshot, and the file of its version as the store listed it. */
type Known = { readonly snapshot: Snapshot; readonly file: StoredObject; readonly characters: number };

/** Characters of log entries that one warehouse keeps. A table of the usual size has some ten thousand. */
const mostCharacters = 2 * 2 ** 20;
/** The same for all warehouses of a process that has many. */
export const mostCharactersOfAll = 64 * 2 ** 20;
/** Schemas that are held once for all tables that have them: the same table of a thousand connections has one. */
const mostSchemas = 500;

/** The known snapshots of one warehouse's tables. */
export type SnapshotsOfTables = Pick<KnownSnapshots, 'of' | 'keep'>;

/**
 * The newest snapshots of a warehouse's tables. A log only grows, so while the file of a version is there unchanged,
 * what was read up to it is still right; a table that was deleted or made again has another file, or none. Otherwise
 * every look at a table would have DuckDB read its checkpoint: most of the work of a run that finds nothing.
 */
export class KnownSnapshots {
  readonly #known: LRUCache<string, Known>;
  readonly #schemas = new LRUCache<string, string>({ max: mostSchemas });

  constructor(most = mostCharacters) {
    this.#known = new LRUCache({
      maxSize: most,
      sizeCalculation: ({ characters }) => characters,
    });
  }

  /** The snapshots of one among several warehouses, which share this limit. */
  in(destination: string): SnapshotsOfTables {
    const name = (table: string) => `${destination} ${table}`;
    return {
      of: (table, listed) => this.of(name(table), listed),
      keep: (table, snapshot, file) => this.keep(name(table), snapshot, file),
    };
  }

  /** @param listed the files of the table's log, or the newest of them */
  of(table: string, listed: readonly StoredObject[]): Snapshot | undefined {
    const known = this.#known.get(table);
    if (!known) return undefined;
    const { key, bytes, writtenAt } = known.file;
    const isThere = listed.some(
      (file) => file.key === key && file.bytes === bytes && file.writtenAt === writtenAt,
    );
    return isThere ? known.snapshot : undefined;
  }

  /** @param file of the snapshot's version */
  keep(table: string, snapshot: Snapshot, file: StoredObject): void {
    const { schemaString } = snapshot.metadata;
    const shared = this.#schemas.get(schemaString);
    if (shared === undefined) this.#schemas.set(schemaString, schemaString);
    const metadata = { ...snapshot.metadata, schemaString: shared ?? schemaString };
    const characters = charactersIn(snapshot) + (shared === undefined ? schemaString.length : 0);
    this.#known.set(table, { snapshot: { ...snapshot, metadata }, file, characters });
  }
}

/** Without the schema. */
function charactersIn({ files, tombstones, txns }: Snapshot): number {
  let characters = 200 * (1 + tombstones.size + txns.size);
  for (const { stats } of files.values()) characters += 200 + (stats?.length ?? 0);
  return characters;
}
