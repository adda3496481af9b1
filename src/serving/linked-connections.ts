import type { Settings } from '../settings/settings.ts';
import { type Connections, placeHere } from './connections.ts';

/** A list of connections that grows while the process runs, when one is linked in the console. */
export class LinkedConnections implements Connections {
  readonly #listeners = new Set<() => void>();
  #list: readonly Settings[];

  constructor(settings: readonly Settings[]) {
    this.#list = settings;
  }

  list(): readonly Settings[] {
    return this.#list;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Adds a connection. It replaces one with the same name or destination, such as one that was unlinked. */
  add(added: Settings): void {
    const place = placeHere(added.destination);
    const others = this.#list.filter(
      ({ connection, destination }) => connection !== added.connection && placeHere(destination) !== place,
    );
    this.#list = [...others, added];
    for (const listener of this.#listeners) listener();
  }
}
