import type { Row } from './duckdb.ts';
import { type Field, typeProperty } from './schema.ts';

/** What the log says about a data file's rows, so that readers can leave the file out. */
export type FileStatistics = {
  readonly numRecords: number;
  readonly minValues: { readonly [column: string]: unknown };
  readonly maxValues: { readonly [column: string]: unknown };
  readonly nullCount: { readonly [column: string]: number };
};

/** Longer texts are cut: the log is read whole by every reader. */
const textLength = 32;
/** Sorts behind every character: a cut text's bound has to be above the text. */
const lastCharacter = '\u{10FFFF}';

/** From what DuckDB returns of a COPY with RETURN_STATS. A bound that cannot be told exactly is left out. */
export function statisticsOf(copied: Row, fields: readonly Field[]): FileStatistics {
  const columns = new Map(entriesOf(copied['column_statistics']));
  const minValues: { [column: string]: unknown } = {};
  const maxValues: { [column: string]: unknown } = {};
  const nullCount: { [column: string]: number } = {};
  for (const { name, type, metadata } of fields) {
    const facts = new Map(entriesOf(columns.get(`"${name.replaceAll('"', '""')}"`)));
    const nulls = facts.get('null_count');
    if (nulls !== undefined) nullCount[name] = Number(nulls);
    const low = facts.get('min');
    const high = facts.get('max');
    // Bounds of JSON text help nobody.
    if (typeof low !== 'string' || typeof high !== 'string' || metadata[typeProperty] === 'json') continue;
    const bounds = boundsOf(type, low, high, facts.get('has_nan') === 'true');
    if (bounds) [minValues[name], maxValues[name]] = bounds;
  }
  return { numRecords: Number(copied['count']), minValues, maxValues, nullCount };
}

function boundsOf(
  type: Field['type'],
  low: string,
  high: string,
  nan: boolean,
): [unknown, unknown] | undefined {
  switch (type) {
    case 'string': {
      const start = cut(low);
      const end = cut(high);
      if (end === high) return [start, high];
      return high.startsWith(end + lastCharacter) ? undefined : [start, end + lastCharacter];
    }
    case 'long': {
      const bounds: [number, number] = [Number(low), Number(high)];
      // A rounded bound makes readers leave out a file that holds the row.
      return bounds.every(Number.isSafeInteger) ? bounds : undefined;
    }
    case 'double': {
      const bounds: [number, number] = [Number(low), Number(high)];
      return !nan && bounds.every(Number.isFinite) ? bounds : undefined;
    }
    case 'timestamp': {
      const start = milliseconds(low, Math.floor);
      const end = milliseconds(high, Math.ceil);
      return start && end ? [start, end] : undefined;
    }
    default:
      return undefined;
  }
}

function cut(text: string): string {
  // Not through the middle of a surrogate pair.
  return text.slice(0, textLength).replace(/\p{Surrogate}$/u, '');
}

/** Statistics carry milliseconds: the bounds are rounded outwards, and left out where that leaves the four-digit years. */
function milliseconds(text: string, round: (value: number) => number): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  if (!match) return undefined;
  const fraction = round(Number((match[3] ?? '').padEnd(6, '0')) / 1000);
  const time = new Date(Date.parse(`${match[1]}T${match[2]}Z`) + fraction).toISOString();
  return time.length === 24 ? time : undefined;
}

/** DuckDB's maps come as lists of key and value. */
function entriesOf(map: unknown): [string, unknown][] {
  return Array.isArray(map) ? map.map(({ key, value }: { key: string; value: unknown }) => [key, value]) : [];
}
