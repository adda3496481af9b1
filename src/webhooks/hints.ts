import { setMaxListeners } from 'node:events';
import type { Client } from '@temporalio/client';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';
import type { HintFigures } from './hint-figures.ts';
import { HintedTable } from './hinted-table.ts';

/** The hints on all tables of all connections that are served. */
export class Hints {
  readonly #stopping = new AbortController();
  readonly #world;
  /** By connection and table. */
  readonly #tables = new Map<string, HintedTable>();

  constructor(client: Client, log: Log, figures: HintFigures) {
    // Each run that is followed listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.#world = { client, log, figures, signal: this.#stopping.signal };
  }

  /**
   * Hints at the tables that an event concerns. Those that are read by the rows of another one of them follow its run:
   * at the same time as that run, they would read by its rows as they were before.
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

  /** Follows no further runs, and triggers what is still waiting. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#tables.values()].map((table) => table.stop()));
  }

  #at(settings: Settings, table: Table): HintedTable {
    const id = `${settings.connection}:${table.name}`;
    const known = this.#tables.get(id);
    // With other settings, the same name may stand for another destination or frequency.
    if (known?.settings === settings) return known;
    const hinted = new HintedTable(this.#world, settings, table);
    this.#tables.set(id, hinted);
    return hinted;
  }
}

function parentOf({ parent, changesBy }: Table): string | undefined {
  return (parent ?? changesBy)?.table;
}
