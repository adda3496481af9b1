import { defined } from '../src/defined.ts';
import type { Identity } from '../src/incident-io/identity.ts';
import type { TimestampField } from '../src/tables/table.ts';
import type { TableState } from '../src/warehouse/warehouse.ts';
import type { Plan } from './contract.ts';

/**
 * If the counts still differ after this many runs in a row, although days were read again, a full read follows. Any
 * difference that remains after it is how this API counts, and does not start another one.
 */
const differencesForFullRead = 2;
/** The API's servers may disagree by seconds; a time further ahead of their clock than this was never right. */
const clockToleranceMs = 60_000;

/** What the plan is decided from. */
export type Facts = {
  /** The field to go by; `undefined` for a full refresh, and for a table that is read parent by parent. */
  readonly field: TimestampField | undefined;
  /** The run reads changes only, if nothing speaks against it. */
  readonly byChange: boolean;
  /** The state that the last commit stored; `undefined` if the table does not exist yet. */
  readonly state: TableState | undefined;
  readonly identity: Identity;
  /** Canonical JSON of the parameters that reveal hidden rows. */
  readonly filters: string;
  /** Canonical JSON of the rules for columns; empty without rules. */
  readonly columns: string;
};

/** The state that the run's commit stores with its rows. */
export function nextState(
  { field, byChange, state, identity, filters, columns }: Facts,
  fullRead: boolean,
  watermark: number,
): Plan['state'] {
  const { account, visibility, answeredAt: now } = identity;
  // Without the API's clock it is unknown up to when this read is complete, so the watermark stays where it was.
  const complete = now ?? (watermark < Infinity ? watermark : undefined);
  return {
    // An incremental run that could not read the identity keeps what the table has.
    account: fullRead || account !== 'unknown' ? account : state!.account,
    visibility: fullRead || visibility !== 'unknown' ? visibility : state!.visibility,
    filters,
    ...defined({
      watermark: byChange ? complete : undefined,
      fullReadAt: fullRead ? now : state?.fullReadAt,
      incrementalField: field,
      columns: columns === '' ? undefined : columns,
    }),
  };
}

/** Why everything has to be read; `undefined` if the changes since the watermark suffice. */
export function reasonForFullRead(
  types: string,
  { field, byChange, state, identity, filters, columns }: Facts,
): string | undefined {
  const { answeredAt: now, visibility } = identity;
  if (!byChange) return 'full refresh';
  if (!state) return 'first sync';
  if (state.types !== types) return 'the declared columns changed';
  if (hasOtherRules(state, columns)) return 'the rules for leaving out or hashing columns changed';
  if (state.disturbed) return 'another writer changed the table';
  if (state.watermark === undefined) return 'the table has no watermark';
  if (isAhead(state.watermark, now)) return 'the watermark is ahead of the API’s clock';
  if (state.incrementalField !== field) {
    return `the watermark was made with ${state.incrementalField ?? 'no field'}`;
  }
  if (state.filters !== filters) return 'the parameters that reveal hidden rows changed';
  if (visibility !== 'unknown' && state.visibility !== visibility) return 'what the key may see changed';
  if (state.differences >= differencesForFullRead) return 'the API’s count differs from the table’s';
  return undefined;
}

/** Whether the table was made with other rules for its columns. */
export function hasOtherRules(state: TableState, columns: string): boolean {
  return (state.columns ?? '') !== columns;
}

/** The API's clock may once have been wrong; a run would never ask for changes before such a watermark. */
export function isAhead(at: number, now: number | undefined): boolean {
  return now !== undefined && at > now + clockToleranceMs;
}

export function notesOn({ visibility, answeredAt }: Identity): string[] {
  const notes: string[] = [];
  if (visibility === 'unknown') {
    notes.push('The identity of the key could not be read, so it was not compared.');
  }
  if (answeredAt === undefined)
    notes.push('The API sent no Date header, so the watermark stays where it was.');
  return notes;
}
