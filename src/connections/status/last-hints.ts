import type { Warehouse } from '../../warehouse/warehouse.ts';

/** When the last webhook for each table arrived, RFC 3339, UTC. */
export type LastHints = { readonly [table: string]: string };

type Notes = Pick<Warehouse, 'readNote' | 'writeNote'>;

/** As the receivers of a connection's webhooks noted it, up to a minute ago. */
export async function lastHintsOf(notes: Notes, connection: string): Promise<LastHints> {
  const text = await notes.readNote(noteOf(connection));
  return text === undefined ? {} : (JSON.parse(text) as LastHints);
}

/** Notes hints, next to those that other receivers of the connection have noted. */
export async function noteHints(notes: Notes, connection: string, hints: LastHints): Promise<void> {
  const before = await lastHintsOf(notes, connection);
  const newer = Object.entries(hints).filter(([table, at]) => (before[table] ?? '') < at);
  await notes.writeNote(noteOf(connection), JSON.stringify({ ...before, ...Object.fromEntries(newer) }));
}

function noteOf(connection: string): string {
  return `${connection}-webhooks`;
}
