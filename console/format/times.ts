/** `2026-11-23 21:25:58`, UTC as everywhere. */
export function utc(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

/** `21:25:58`. */
export function clock(time: string): string {
  return time.slice(11, 19);
}

/** `45 s`, `12 min`, `5 h`, `3 d`: as precise as people need. */
export function span(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, Math.round(seconds * 10) / 10)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `3 min ago`, `in 12 s`, `now`. */
export function relative(time: string, now: number): string {
  const seconds = Math.round((Date.parse(time) - now) / 1_000);
  if (Math.abs(seconds) < 2) return 'now';
  return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
}
