/** A worker responds within a second, or within a few if it has just started. */
const silentMs = 10_000;
/** How long to wait for a worker, or a server: a script cannot start one. */
export const lostMs = 10 * 60_000;
/** A longer gap between two looks means that the machine slept or the server was away, not that workers are silent. */
const breakMs = 60_000;

/** Notices tables that no worker responds for. Times are milliseconds since the epoch. */
export class SilentWorkers {
  /** When a worker last responded, for each table that is waited for. */
  readonly #heard = new Map<string, number>();
  readonly #reported = new Set<string>();
  #looked: number | undefined;

  waitFor(table: string, now: number): void {
    this.#heard.set(table, now);
  }

  heard(table: string, now: number): void {
    if (this.#heard.has(table)) this.#heard.set(table, now);
  }

  done(table: string): void {
    this.#heard.delete(table);
  }

  /** Tables that have newly become silent, and those that have been silent for so long that waiting is pointless. */
  look(now: number): { readonly silent: readonly string[]; readonly lost: readonly string[] } {
    if (this.#looked !== undefined && now - this.#looked > breakMs) {
      for (const table of this.#heard.keys()) this.#heard.set(table, now);
    }
    this.#looked = now;
    const silent = this.#silentFor(silentMs, now).filter((table) => !this.#reported.has(table));
    for (const table of silent) this.#reported.add(table);
    return { silent, lost: this.#silentFor(lostMs, now) };
  }

  #silentFor(ms: number, now: number): string[] {
    return [...this.#heard].filter(([, at]) => now - at > ms).map(([table]) => table);
  }
}
