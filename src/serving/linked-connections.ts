import type { Settings } from '../settings/settings.ts';
import { type Connections, placeHere } from './connections.ts';

/** Connections of a process that others join while it runs: those that are linked in its console. */
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

  /** Adds a connection. One that had its name or its destination before, such as an unlinked one, makes way for it. */
  add(added: Settings): void {
    const place = placeHere(added.destination);
    const others = this.#list.filter(
      ({ connection, destination }) => connection !== added.connection && placeHere(destination) !== place,
    );
    this.#list = [...others, added];
    for (const listener of this.#listeners) listener();
  }
}
