/**
 * The years, first and last, that a timestamp column takes. Every reader of Parquet reads these; beyond them some fail
 * for the whole column: Spark before 1900, as files do not say which calendar they use, pandas after April 2262, and
 * ClickHouse clamps. Times beyond are kept as they came, in `<column>__raw`.
 */
export const firstYear = 1900;
export const lastYear = 2261;

/** Nearly every time the API sends: UTC, a day that every month has, at most six digits of a second. */
const plain =
  /^(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The time of an RFC 3339 text, in UTC and as DuckDB reads it, cut to microseconds; `undefined` for any other text
 * and outside the years that a timestamp column takes.
 */
export function utcTime(value: string): string | undefined {
  if (plain.test(value)) return value;
  const match = rfc3339.exec(value);
  if (match === null) return undefined;
  const [, years, months, days, hours, minutes, seconds, fraction, sign, aheadHours, aheadMinutes] = match;
  const year = Number(years);
  const month = Number(months);
  const day = Number(days);
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const ahead = (Number(aheadHours ?? 0) * 60 + Number(aheadMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  const utc = new Date(0);
  // Not Date.UTC, which reads the years 0 to 99 as 1900 to 1999.
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(Number(hours), Number(minutes) - ahead, Number(seconds));
  const utcYear = utc.getUTCFullYear();
  if (utcYear < firstYear || utcYear > lastYear) return undefined;
  const part = fraction === undefined ? '' : `.${fraction.slice(0, 6)}`;
  return `${utc.toISOString().slice(0, 19)}${part}Z`;
}

/** Whether a time has digits below the microsecond, which a timestamp column does not keep. */
export function losesDigits(value: unknown): boolean {
  return typeof value === 'string' && value.length > 27 && /\.\d{6}\d*[1-9]/.test(value);
}

/** Days of a month, from 1. */
export function daysIn(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : daysOfMonth[month - 1]!;
}
