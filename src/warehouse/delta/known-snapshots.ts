import { LRUCache } from 'lru-cache';
import type { StoredObject } from '../store/store.ts';
import type { Action } from './actions.ts';
import { actionsFor, Replay, type Snapshot } from './snapshot.ts';

/** A snapshot as bytes, and the file of its version as the store listed it. */
type Known = {
  readonly version: number;
  /**
   * JSON of its actions, without the schema. As objects, the snapshots of a thousand connections would take twice the
   * memory.
   */
  readonly json: Uint8Array;
  readonly schemaString: string;
  readonly file: StoredObject;
  /** What it adds to the memory in use. */
  readonly size: number;
};

/** Bytes that one warehouse keeps. A table of the usual size has some thousand. */
const mostBytes = 2 * 2 ** 20;
/** The same for all warehouses of a process that has many. */
export const mostBytesOfAll = 64 * 2 ** 20;
/** Schemas that are kept once for all tables that share them, as the same table of a thousand connections does. */
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

  constructor(most = mostBytes) {
    this.#known = new LRUCache({
      maxSize: most,
      sizeCalculation: ({ size }) => size,
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
    return isThere ? readBack(known, table) : undefined;
  }

  /** @param file of the snapshot's version */
  keep(table: string, snapshot: Snapshot, file: StoredObject): void {
    const { version, metadata } = snapshot;
    const { schemaString } = metadata;
    const actions = actionsFor({ ...snapshot, metadata: { ...metadata, schemaString: '' } });
    const json = new TextEncoder().encode(JSON.stringify(actions));
    const shared = this.#schemas.get(schemaString);
    if (shared === undefined) this.#schemas.set(schemaString, schemaString);
    const size = json.length + (shared === undefined ? schemaString.length : 0);
    this.#known.set(table, { version, json, schemaString: shared ?? schemaString, file, size });
  }
}

function readBack({ version, json, schemaString }: Known, table: string): Snapshot {
  const replay = new Replay();
  replay.apply(JSON.parse(new TextDecoder().decode(json)) as Action[]);
  const snapshot = replay.snapshot(version, table);
  return { ...snapshot, metadata: { ...snapshot.metadata, schemaString } };
}
