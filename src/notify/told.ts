import { needsAttention, type State, type TableHealth } from '../connections/status/table-health.ts';

/** At most one message about a table in this time, except that it has recovered, which is always reported. */
export const quietMs = 60 * 60_000;
/** A lasting problem is reported again after this time: a message may be overlooked. */
export const remindMs = 24 * 60 * 60_000;

/** What people know about one table. */
export type ToldTable = {
  /** `well` once they know that it has recovered. */
  readonly state: State | 'well';
  /** When they were last told that something is wrong, milliseconds since the epoch. */
  readonly at: number;
};

/** What people know, by table; tables without messages are left out. */
export type Told = { readonly [table: string]: ToldTable };

/** A table to tell people about. */
export type News = Omit<TableHealth, 'state'> & { readonly state: State | 'recovered' };

/**
 * Decides what to tell people, given the state of the tables and what people already know.
 * @returns the news, and what people know once they have it
 * @param now milliseconds since the epoch
 */
export function newsOf(
  healths: readonly TableHealth[],
  told: Told,
  now: number,
): { readonly news: readonly News[]; readonly told: Told } {
  const news: News[] = [];
  const next: Record<string, ToldTable> = {};
  for (const health of healths) {
    const { table, state, lagSeconds } = health;
    const before = told[table];
    if (needsAttention(state) && isDue(state, before, now)) {
      news.push(health);
      next[table] = { state, at: now };
    } else if (state === 'current' && before && before.state !== 'well') {
      news.push({ table, state: 'recovered', ...(lagSeconds !== undefined && { lagSeconds }) });
      next[table] = { state: 'well', at: before.at };
    } else if (before && !(before.state === 'well' && now - before.at >= quietMs)) {
      // A table that is paused, or synced for the first time, has not recovered.
      next[table] = before;
    }
  }
  return { news, told: next };
}

function isDue(state: State, before: ToldTable | undefined, now: number): boolean {
  if (!before) return true;
  const passed = now - before.at;
  return passed >= (before.state === state ? remindMs : quietMs);
}
