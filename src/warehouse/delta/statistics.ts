import { LosslessNumber, stringify } from 'lossless-json';

import { identifier, type Row } from '../duckdb.ts';
import type { Add, Metadata } from './actions.ts';
import type { Field } from './schema.ts';

/** What the log says about the rows of a data file, so that readers can skip the file. */
export type FileStatistics = {
  readonly numRecords: number;
  readonly minValues: { readonly [column: string]: unknown };
  readonly maxValues: { readonly [column: string]: unknown };
  readonly nullCount: { readonly [column: string]: number };
};

/** Longer texts are cut, because every reader reads the whole log. */
const textLength = 32;
/** Sorts after every character, for the upper bound of a text that was cut. */
const lastCharacter = '\u{10FFFF}';
/** Every 64-bit integer that is a multiple of this is exactly representable as a double. */
const coarse = 2_048n;
const largestLong = 2n ** 63n - 1n;

/** Delta's properties for the columns that a writer keeps statistics of: a number from the left, or their names. */
const statisticsProperties = ['delta.dataSkippingNumIndexedCols', 'delta.dataSkippingStatsColumns'] as const;

/**
 * The table's properties, which also ask other writers for statistics of every column unless the user has chosen
 * otherwise. By default, OPTIMIZE only keeps those of the first 32 columns, and readers no longer skip files by time.
 */
export function withStatisticsOfAllColumns(
  configuration: Metadata['configuration'],
): Metadata['configuration'] {
  if (statisticsProperties.some((property) => configuration[property] !== undefined)) return configuration;
  return { ...configuration, [statisticsProperties[0]]: '-1' };
}

/** The statistics in the log; another writer may have left out some or all of them. */
export function statisticsIn({ stats }: Add): Partial<FileStatistics> {
  return stats === undefined ? {} : (JSON.parse(stats) as Partial<FileStatistics>);
}

/**
 * Returns the statistics as JSON, from what DuckDB returns for a COPY with RETURN_STATS. Every column with a value gets
 * bounds, at worst wide ones: the pyarrow reader of delta-rs finds no row by a column without bounds.
 */
export function statisticsOf(copied: Row, fields: readonly Field[]): string {
  const columns = new Map(entriesOf(copied['column_statistics']));
  const minValues: { [column: string]: unknown } = {};
  const maxValues: { [column: string]: unknown } = {};
  const nullCount: { [column: string]: number } = {};
  const numRecords = Number(copied['count']);
  for (const { name, type } of fields) {
    const facts = new Map(entriesOf(columns.get(identifier(name))));
    const nulls = Number(facts.get('null_count'));
    nullCount[name] = nulls;
    if (nulls === numRecords || facts.get('has_nan') === 'true') continue;
    const bounds = boundsOf(type, facts.get('min'), facts.get('max'));
    if (bounds) [minValues[name], maxValues[name]] = bounds;
  }
  const statistics: FileStatistics = { numRecords, minValues, maxValues, nullCount };
  return stringify(statistics)!;
}

/**
 * The smallest value of a column of times, from what DuckDB returns for a COPY with RETURN_STATS: in
 * milliseconds since the epoch, rounded down. `undefined` if there is no such column, or no value in it.
 */
export function earliestOf(copied: Row, column: string): number | undefined {
  const facts = new Map(entriesOf(copied['column_statistics'])).get(identifier(column));
  const least = new Map(entriesOf(facts)).get('min');
  const time = typeof least === 'string' ? milliseconds(least, Math.floor) : undefined;
  return time === undefined ? undefined : Date.parse(time);
}

function boundsOf(type: Field['type'], low: unknown, high: unknown): [unknown, unknown] | undefined {
  if (type === 'string') {
    return [typeof low === 'string' ? cut(low) : '', typeof high === 'string' ? cutAbove(high) : above('')];
  }
  if (typeof low !== 'string' || typeof high !== 'string') return undefined;
  switch (type) {
    case 'long':
      return [integerBelow(BigInt(low)), integerAbove(BigInt(high))];
    case 'double':
      return [low, high].every((bound) => Number.isFinite(Number(bound)))
        ? [Number(low), Number(high)]
        : undefined;
    case 'boolean':
      return [low === '1', high === '1'];
    case 'timestamp': {
      const start = milliseconds(low, Math.floor);
      const end = milliseconds(high, Math.ceil);
      return start && end ? [start, end] : undefined;
    }
    default:
      return undefined;
  }
}

/** A reader may parse JSON numbers as doubles. If that rounded a bound inwards, it would skip the file with the row. */
function integerBelow(value: bigint): unknown {
  if (Number.isSafeInteger(Number(value))) return Number(value);
  const beyond = ((value % coarse) + coarse) % coarse;
  return new LosslessNumber(String(value - beyond));
}

function integerAbove(value: bigint): unknown {
  if (Number.isSafeInteger(Number(value))) return Number(value);
  const beyond = ((value % coarse) + coarse) % coarse;
  const bound = beyond === 0n ? value : value - beyond + coarse;
  return new LosslessNumber(String(bound > largestLong ? largestLong : bound));
}

function cut(text: string): string {
  // The cut must not leave half of a surrogate pair.
  return text.slice(0, textLength).replace(/\p{Surrogate}$/u, '');
}

function cutAbove(text: string): string {
  const start = cut(text);
  return start === text ? text : above(start);
}

/** An upper bound for every text with this prefix (U+10FFFF is not a character). */
function above(start: string): string {
  return start + lastCharacter.repeat(8);
}

/** Statistics have milliseconds, so the bounds are rounded outwards, but never beyond the year 9999. */
function milliseconds(text: string, round: (value: number) => number): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  if (!match) return undefined;
  const fraction = round(Number((match[3] ?? '').padEnd(6, '0')) / 1000);
  const time = new Date(Date.parse(`${match[1]}T${match[2]}Z`) + fraction).toISOString();
  return time.length === 24 ? time : '9999-12-31T23:59:59.999999Z';
}

/** DuckDB returns a map as a list of keys and values. */
function entriesOf(map: unknown): [string, unknown][] {
  return Array.isArray(map) ? map.map(({ key, value }: { key: string; value: unknown }) => [key, value]) : [];
}
