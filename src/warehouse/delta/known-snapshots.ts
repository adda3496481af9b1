import { LRUCache } from 'lru-cache';
import type { StoredObject } from '../store/store.ts';
import type { Add, Metadata, Protocol, Remove, Txn } from './actions.ts';
import type { Snapshot } from './snapshot.ts';

/** A snapshot as bytes, and the file of its version as the store listed it. */
type Known = {
  /** JSON of `Written`. As objects, the snapshots of a thousand connections would take twice the memory. */
  readonly json: Uint8Array;
  readonly schemaString: string;
  readonly file: StoredObject;
  /** What it adds to the memory in use. */
  readonly size: number;
};

/** A snapshot without its schema. */
type Written = {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Omit<Metadata, 'schemaString'>;
  readonly files: readonly Add[];
  readonly tombstones: readonly Remove[];
  readonly txns: readonly Txn[];
};

/** Bytes that one warehouse keeps. A table of the usual size has some thousand. */
const mostBytes = 2 * 2 ** 20;
/** The same for all warehouses of a process that has many. */
export const mostBytesOfAll = 64 * 2 ** 20;
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
    return isThere ? readBack(known) : undefined;
  }

  /** @param file of the snapshot's version */
  keep(table: string, snapshot: Snapshot, file: StoredObject): void {
    const { version, protocol, files, tombstones, txns } = snapshot;
    const { schemaString, ...metadata } = snapshot.metadata;
    const written: Written = {
      version,
      protocol,
      metadata,
      files: [...files.values()],
      tombstones: [...tombstones.values()],
      txns: [...txns.values()],
    };
    const json = new TextEncoder().encode(JSON.stringify(written));
    const shared = this.#schemas.get(schemaString);
    if (shared === undefined) this.#schemas.set(schemaString, schemaString);
    const size = json.length + (shared === undefined ? schemaString.length : 0);
    this.#known.set(table, { json, schemaString: shared ?? schemaString, file, size });
  }
}

function readBack({ json, schemaString }: Known): Snapshot {
  const { version, protocol, metadata, files, tombstones, txns } = JSON.parse(
    new TextDecoder().decode(json),
  ) as Written;
  return {
    version,
    protocol,
    metadata: { ...metadata, schemaString },
    files: new Map(files.map((file) => [file.path, file])),
    tombstones: new Map(tombstones.map((tombstone) => [tombstone.path, tombstone])),
    txns: new Map(txns.map((txn) => [txn.appId, txn])),
  };
}
