const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A time as DuckDB reads it, in UTC; `exact` is false where it has digits below the microsecond. */
export type UtcTime = { readonly text: string; readonly exact: boolean };

/** The time an RFC 3339 text names; `undefined` for any other text and outside the years 0001 to 9999 of UTC. */
export function utcTime(value: string): UtcTime | undefined {
  const match = rfc3339.exec(value);
  if (match === null) return undefined;
  const [, years, months, days, hours, minutes, seconds, fraction = '', sign, aheadHours, aheadMinutes] =
    match;
  const year = Number(years);
  const month = Number(months);
  const day = Number(days);
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const exact = !/[1-9]/.test(fraction.slice(6));
  const part = fraction === '' ? '' : `.${fraction.slice(0, 6)}`;
  if (sign === undefined) {
    return { text: `${years}-${months}-${days}T${hours}:${minutes}:${seconds}${part}Z`, exact };
  }
  const ahead = (Number(aheadHours) * 60 + Number(aheadMinutes)) * (sign === '+' ? 60_000 : -60_000);
  const utc = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(Number(hours), Number(minutes), Number(seconds));
  const shifted = new Date(utc.getTime() - ahead);
  const utcYear = shifted.getUTCFullYear();
  if (utcYear < 1 || utcYear > 9999) return undefined;
  return { text: `${shifted.toISOString().slice(0, 19)}${part}Z`, exact };
}

function daysIn(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : daysOfMonth[month - 1]!;
}
