import { InvalidArgumentError } from 'commander';

const units: { readonly [unit: string]: number } = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};
/** With less memory, DuckDB cannot write a part of long rows, however small the pieces. */
const least = 100e6;

/** Bytes from a text such as `512MB` or `1.5GiB`. Throws `InvalidArgumentError` for anything else, and for too little. */
export function memoryOf(text: string): number {
  const { number, unit } = /^(?<number>\d+(\.\d+)?)\s*(?<unit>[KMG]i?B)$/i.exec(text.trim())?.groups ?? {};
  if (number === undefined || unit === undefined) {
    throw new InvalidArgumentError('Give a number with a unit, such as 512MB or 1GiB.');
  }
  const bytes = Math.floor(Number(number) * units[unit.toUpperCase()]!);
  if (bytes < least) throw new InvalidArgumentError('Give at least 100MB.');
  return bytes;
}
