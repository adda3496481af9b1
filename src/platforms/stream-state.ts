import { StateError } from '../errors.ts';
import { defined } from '../defined.ts';
import type { Place } from '../warehouse/read/difference.ts';

/** The version of the format. A state of another one is not read. */
const format = 1;

/** What the destination holds of a table that the source keeps: the rows of one Delta version. */
export type KeptState = {
  readonly kind: 'kept';
  readonly account: string;
  /** `metaData.id` of the Delta table. */
  readonly table: string;
  /** The version whose rows the destination holds; absent in the middle of the first read. */
  readonly version?: number;
  /** In the middle of a read: the version that it leads to, and how far it has come. */
  readonly to?: number;
  readonly after?: Place;
};

/** What the destination holds of a table that the source does not keep: everything up to a time. */
export type TimeState = {
  readonly kind: 'time';
  readonly account: string;
  /** Milliseconds since the epoch; absent for a table that is read whole each time. */
  readonly watermark?: number;
  readonly fullReadAt?: number;
  /** What the watermark is valid with, as in the state of a table. */
  readonly incrementalField?: string;
  readonly filters?: string;
  readonly visibility?: string;
  readonly types?: string;
  /** The rules by which columns are left out or hashed. */
  readonly columns?: string;
};

export type StreamState = KeptState | TimeState;

/** A stream's state as a platform keeps it: JSON that only this file reads. */
export type StateBlob = { readonly [field: string]: unknown };

/**
 * The state as a platform keeps it.
 * @param extra what else is to be kept with it
 */
export function blobOf(state: StreamState, extra: StateBlob = {}): StateBlob {
  const own = state.kind === 'time' ? timeFields(state) : keptFields(state);
  return { v: format, account: state.account, ...own, ...extra };
}

function keptFields({ table, version, to, after }: KeptState): StateBlob {
  return {
    table,
    ...defined({
      version: version === undefined ? undefined : String(version),
      to: to === undefined ? undefined : String(to),
      after: after && `${after.file}:${after.row}`,
    }),
  };
}

function timeFields(state: TimeState): StateBlob {
  const { watermark, fullReadAt, incrementalField, filters, visibility, types, columns } = state;
  const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  return defined({
    watermark: iso(watermark),
    full_read_at: iso(fullReadAt),
    incremental_field: incrementalField,
    filters,
    visibility,
    types,
    columns,
  });
}

/**
 * The state in what a platform gives back; `undefined` if it has none, as before the first read and after a refresh.
 * Throws `StateError` for anything that this version did not write.
 */
export function stateIn(stream: string, blob: unknown): StreamState | undefined {
  if (blob === undefined || blob === null) return undefined;
  if (typeof blob !== 'object' || Array.isArray(blob)) throw notOurs(stream);
  const fields = blob as StateBlob;
  if (Object.keys(fields).length === 0) return undefined;
  const { v, account, table } = fields;
  if (v !== format || typeof account !== 'string') throw notOurs(stream);
  return typeof table === 'string'
    ? keptState(stream, fields, account, table)
    : timeState(stream, fields, account);
}

function keptState(stream: string, fields: StateBlob, account: string, table: string): KeptState {
  const version = numberIn(stream, fields['version'], /^\d+$/);
  const to = numberIn(stream, fields['to'], /^\d+$/);
  const { after } = fields;
  const [, file, row] = /^(\d+):(\d+)$/.exec(typeof after === 'string' ? after : '') ?? [];
  const place = row === undefined ? undefined : { file: Number(file), row: Number(row) };
  // In the middle of a read both are there, between two reads only the version.
  if ((to === undefined) !== (place === undefined) || (to === undefined && version === undefined)) {
    throw notOurs(stream);
  }
  return { kind: 'kept', account, table, ...defined({ version, to, after: place }) };
}

function timeState(stream: string, fields: StateBlob, account: string): TimeState {
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  return {
    kind: 'time',
    account,
    ...defined({
      watermark: timeIn(stream, fields['watermark']),
      fullReadAt: timeIn(stream, fields['full_read_at']),
      incrementalField: text('incremental_field'),
      filters: text('filters'),
      visibility: text('visibility'),
      types: text('types'),
      columns: text('columns'),
    }),
  };
}

function numberIn(stream: string, value: unknown, pattern: RegExp): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && pattern.test(value)) return Number(value);
  throw notOurs(stream);
}

function timeIn(stream: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) throw notOurs(stream);
  return time;
}

function notOurs(stream: string): StateError {
  return new StateError(`${stream}: the state is not one that this version of the source has written`);
}
