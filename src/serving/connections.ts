import type { Settings } from '../settings/settings.ts';
import { destinationQueue } from '../temporal/names.ts';
import { placeOf } from '../warehouse/store/destination.ts';

/**
 * The connections that a process serves. Queues, metrics and everything that answers requests for a connection learn
 * from here which ones there are, and when that changes.
 */
export type Connections = {
  /** The connections as they are now, each with a name and a destination of its own. */
  list(): readonly Settings[];
  /** Calls the listener after each change of the list, until the returned function is called. */
  onChange(listener: () => void): () => void;
};

/** A list of connections that never changes. */
export function fixedConnections(settings: readonly Settings[]): Connections {
  return { list: () => settings, onChange: () => () => undefined };
}

/** Finds connections by where their tables are, however many there are. */
export class ConnectionsByPlace {
  readonly #connections: Connections;
  /** The list that the maps were made from: a changed list is a new array. */
  #of: readonly Settings[] | undefined;
  #byPlace = new Map<string, Settings>();
  #byQueue = new Map<string, Settings>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** The connection that syncs into a destination; `undefined` if none does. */
  at(destination: string): Settings | undefined {
    this.#refresh();
    return this.#byPlace.get(placeHere(destination));
  }

  /** The connection that a queue of earlier versions belongs to. */
  ofEarlierQueue(taskQueue: string): Settings | undefined {
    this.#refresh();
    return this.#byQueue.get(taskQueue);
  }

  #refresh(): void {
    const list = this.#connections.list();
    if (list === this.#of) return;
    this.#of = list;
    this.#byPlace = new Map(list.map((settings) => [placeHere(settings.destination), settings]));
    this.#byQueue = new Map(list.map((settings) => [destinationQueue(settings.destination), settings]));
  }
}

/** Equal for destinations that are the same place for this process. */
export function placeHere(destination: string): string {
  return placeOf(destination, '');
}
