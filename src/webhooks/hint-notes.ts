import { noteHints } from '../connections/status/last-hints.ts';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/** A bucket charges for each write. */
const writeEveryMs = 60_000;

/** Gives `work` the warehouse of a connection. */
export type WithWarehouse = <T>(settings: Settings, work: (warehouse: Warehouse) => Promise<T>) => Promise<T>;

/** Notes in each destination when the last hint for a table came, so that `status` can read it from any machine. */
export class HintNotes {
  readonly #withWarehouse: WithWarehouse;
  readonly #log: Log;
  /** Notes that are not written yet, by connection. */
  readonly #open = new Map<string, { readonly settings: Settings; readonly hints: Map<string, string> }>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(withWarehouse: WithWarehouse, log: Log) {
    this.#withWarehouse = withWarehouse;
    this.#log = log;
  }

  hinted(settings: Settings, tables: readonly Table[]): void {
    const { connection } = settings;
    const hints = this.#open.get(connection)?.hints ?? new Map<string, string>();
    const now = new Date().toISOString();
    for (const { name } of tables) hints.set(name, now);
    this.#open.set(connection, { settings, hints });
    if (this.#timer !== undefined) return;
    // The first one is written at once, so that a person who sets webhooks up sees them arrive.
    this.#write();
    this.#timer = setInterval(() => this.#tick(), writeEveryMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#write();
    await this.#writing;
  }

  #tick(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#write();
  }

  #write(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#writing = this.#writing.then(async () => {
      await Promise.all(
        open.map(async ({ settings, hints }) => {
          const { connection } = settings;
          try {
            await this.#withWarehouse(settings, (warehouse) =>
              noteHints(warehouse, connection, Object.fromEntries(hints)),
            );
          } catch (error) {
            // Only `status` shows this time, and the next hint is noted in any case.
            this.#log('warn', 'cannot note the time of a webhook', { connection, error });
          }
        }),
      );
    });
  }
}
