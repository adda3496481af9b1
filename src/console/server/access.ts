import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Decides who may use the console: anyone with its token, or with the cookie that a browser got for the token. */
export type Access = {
  /** Part of the address that is printed at the start. */
  readonly token: string;
  readonly cookieName: string;
  /** The cookie's value is not the token, so the console's address cannot be derived from it. */
  readonly cookie: string;
};

/** @param port keeps the cookies of several consoles on one machine apart, since browsers ignore the port */
export function createAccess(port: number): Access {
  const token = randomBytes(32).toString('base64url');
  const cookie = createHash('sha256').update(`cookie of ${token}`).digest('base64url');
  return { token, cookieName: `incident_io_console_${port}`, cookie };
}

/** Compares in constant time, which reveals nothing about where the texts differ. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
