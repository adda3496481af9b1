import { DestinationError } from '../../errors.ts';
import type { Action, Add, Metadata, Protocol, Remove, Txn } from './actions.ts';

/** A table as of one version. */
export type Snapshot = {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** Live data files by path. */
  readonly files: ReadonlyMap<string, Add>;
  /** Removed files that older versions still need, by path. */
  readonly tombstones: ReadonlyMap<string, Remove>;
  /** By application id. */
  readonly txns: ReadonlyMap<string, Txn>;
};

/** The actions from which a `Replay` builds this snapshot. */
export function actionsFor({ protocol, metadata, files, tombstones, txns }: Snapshot): Action[] {
  return [
    { protocol },
    { metaData: metadata },
    ...[...txns.values()].map((txn) => ({ txn })),
    ...[...files.values()].map((add) => ({ add })),
    ...[...tombstones.values()].map((remove) => ({ remove })),
  ];
}

/** Builds a snapshot from the actions of versions, applied in order. */
export class Replay {
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  readonly #files: Map<string, Add>;
  readonly #tombstones: Map<string, Remove>;
  readonly #txns: Map<string, Txn>;

  constructor(from?: Snapshot) {
    this.#protocol = from?.protocol;
    this.#metadata = from?.metadata;
    this.#files = new Map(from?.files);
    this.#tombstones = new Map(from?.tombstones);
    this.#txns = new Map(from?.txns);
  }

  /** Applies all actions of one version, or of a checkpoint. */
  apply(actions: readonly Action[]): void {
    // The actions of a version have no order, and it may remove and add the same path: the removals come first.
    for (const { remove } of actions) {
      if (!remove) continue;
      this.#files.delete(remove.path);
      this.#tombstones.set(remove.path, remove);
    }
    for (const { add, metaData, protocol, txn } of actions) {
      if (add) {
        this.#tombstones.delete(add.path);
        this.#files.set(add.path, add);
      }
      if (metaData) this.#metadata = metaData;
      if (protocol) this.#protocol = protocol;
      if (txn) this.#txns.set(txn.appId, txn);
    }
  }

  /** Throws `DestinationError` if no version had a protocol or metadata. */
  snapshot(version: number, table: string): Snapshot {
    if (!this.#protocol || !this.#metadata) {
      throw new DestinationError(
        `${table}: its Delta log has no protocol or metadata.`,
        'Restore the log from a backup, or delete the table folder and sync again.',
      );
    }
    return {
      version,
      protocol: this.#protocol,
      metadata: this.#metadata,
      files: this.#files,
      tombstones: this.#tombstones,
      txns: this.#txns,
    };
  }
}
