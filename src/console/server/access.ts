import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may use the console: whoever has its token, or the cookie that a browser got for it. */
export type Access = {
  /** Part of the address that is printed at the start. */
  readonly token: string;
  readonly cookieName: string;
  /** The cookie's value is not the token: whoever sees it cannot make the address out of it. */
  readonly cookie: string;
};

/** @param port tells the cookies of several consoles on one machine apart: browsers do not */
export function createAccess(port: number): Access {
  const token = randomBytes(32).toString('base64url');
  const cookie = createHash('sha256').update(`cookie of ${token}`).digest('base64url');
  return { token, cookieName: `incident_io_console_${port}`, cookie };
}

/** Compares in a time that tells nothing about where the texts differ. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
