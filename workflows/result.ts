import type { Plan } from '../activities/contract.ts';
import type { Carried, SyncTableResult } from './contract.ts';
import type { CommitOutcome } from './host.ts';
import { missingNotes, withheldNotes } from './windows.ts';

/** The result of a run whose commit succeeded, in this attempt or in an earlier one. */
export function resultOf(
  table: string,
  { plan, reading, queuedSeconds }: Carried,
  outcome: Exclude<CommitOutcome, { status: 'overtaken' | 'doubtful' }>,
  seconds: number,
): SyncTableResult {
  const { fullRead, reason } = plan;
  const { version, rows } = outcome;
  const base = {
    table,
    fullRead,
    reason,
    version,
    rows,
    read: reading.figures,
    seconds,
    ...(queuedSeconds !== undefined && { queuedSeconds }),
  };
  const notes = [...reading.notes, ...missingNotes(reading), ...withheldNotes(reading)];
  if (outcome.status === 'already_committed') return { ...base, notes };
  const { rowsBefore, inserted, updated, dropped, bytesWritten, columnsAdded, watermark } = outcome;
  const added = columnsAdded.length > 0 ? [`Columns added: ${firstOf(columnsAdded)}`] : [];
  return {
    ...base,
    changes: { rowsBefore, inserted, updated, dropped, bytesWritten, columnsAdded },
    ...(watermark !== undefined && { watermark }),
    notes: [...notes, ...added, ...shrunk(plan, rowsBefore, rows), ...missedNote(outcome.missed)],
  };
}

/** The note on rows that reading by changes did not see. */
function missedNote(missed: number | undefined): string[] {
  return missed === undefined
    ? []
    : [`The full read found ${missed} rows that reading by changes had missed: the list is read for a week.`];
}

/** Names for a note, but no more than people read. */
function firstOf(names: readonly string[]): string {
  const more = names.length - namesInNote;
  const first = names.slice(0, namesInNote).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}
const namesInNote = 20;

/** A full read that empties or halves a table is committed, but never silently. */
function shrunk({ fullRead }: Plan, before: number, after: number): string[] {
  return fullRead && before > 0 && after <= before / 2
    ? [`The table shrank from ${before} rows to ${after}.`]
    : [];
}

/** The note of a run whose upkeep did not succeed. */
export function upkeepLeft(why: string): string {
  return `Upkeep of the table is left to the next run: ${why}`;
}
