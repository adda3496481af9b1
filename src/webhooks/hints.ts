import { setMaxListeners } from 'node:events';
import type { Client } from '@temporalio/client';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';
import type { HintFigures } from './hint-figures.ts';
import { HintedTable } from './hinted-table.ts';

/** The hints for all tables of all served connections. */
export class Hints {
  readonly #stopping = new AbortController();
  readonly #world;
  /** By connection and table. */
  readonly #tables = new Map<string, HintedTable>();

  constructor(client: Client, log: Log, figures: HintFigures) {
    // Every run that is being followed adds a listener.
    setMaxListeners(0, this.#stopping.signal);
    this.#world = { client, log, figures, signal: this.#stopping.signal };
  }

  /**
   * Gives a hint to each table that an event concerns. If one of them is read by the rows of another (its parent), it
   * waits for the parent's run: started at the same time, it would use the parent's rows from before.
   */
  hint(settings: Settings, concerned: readonly Table[], sentAt: number): void {
    const isConcerned = (name: string | undefined) => concerned.some((table) => table.name === name);
    const children = concerned.filter((table) => isConcerned(parentOf(table)));
    for (const table of concerned) {
      if (children.includes(table)) continue;
      const own = children.filter((child) => parentOf(child) === table.name);
      this.#at(settings, table).hint({ sentAt, children: own.map((child) => this.#at(settings, child)) });
    }
  }

  /** Stops following runs, and triggers the tables whose hints are still waiting. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#tables.values()].map((table) => table.stop()));
  }

  #at(settings: Settings, table: Table): HintedTable {
    const id = `${settings.connection}:${table.name}`;
    const known = this.#tables.get(id);
    // Changed settings may give the same name another destination or frequency.
    if (known?.settings === settings) return known;
    const hinted = new HintedTable(this.#world, settings, table);
    this.#tables.set(id, hinted);
    return hinted;
  }
}

function parentOf({ parent, changesBy }: Table): string | undefined {
  return (parent ?? changesBy)?.table;
}
