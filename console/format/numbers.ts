const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function counted(number: number): string {
  return whole.format(number);
}

/** `1 row`, `2,000 rows`. */
export function countOf(number: number, one: string, many = `${one}s`): string {
  return `${counted(number)} ${number === 1 ? one : many}`;
}

/** A value of a chart. */
export function figure(number: number): string {
  return short.format(number);
}

export function percent(share: number): string {
  return `${short.format(Math.round(share * 1_000) / 10)} %`;
}

export function bytes(number: number): string {
  const unit = number >= 1e9 ? 1e9 : number >= 1e6 ? 1e6 : 1e3;
  const name = { 1e9: 'GB', 1e6: 'MB', 1e3: 'kB' }[unit];
  return `${short.format(Math.round((number / unit) * 10) / 10)} ${name}`;
}
