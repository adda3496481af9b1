import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { type Access, isSame } from './access.ts';
import { refuse } from './problems.ts';

/** The names of this machine that a name server cannot point anywhere else. */
const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/** An address that people open the console at, such as that of a proxy: `https://console.example.com`. */
export type PublicOrigin = string | undefined;

/** The page only loads and runs the console's own files, and no other page may frame it. */
const headers: { readonly [name: string]: string } = {
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // The first address that people open contains the token.
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export function safeHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
    if (c.req.path.startsWith('/api/')) c.res.headers.set('Cache-Control', 'no-store');
  };
}

/**
 * Refuses requests for another host: a foreign page could point its own name at this machine and then read answers as
 * if they were its own (DNS rebinding).
 */
export function knownHost(publicOrigin: PublicOrigin): MiddlewareHandler {
  const names =
    publicOrigin === undefined ? loopbackNames : [...loopbackNames, new URL(publicOrigin).hostname];
  return async (c, next) => {
    const name = hostOf(c).replace(/:\d+$/, '');
    if (!names.includes(name)) {
      return refuse(c, 403, {
        error: 'ForbiddenError',
        message: 'This console does not answer for that host name.',
        advice: 'Open the address that it printed when it started.',
      });
    }
    await next();
    return undefined;
  };
}

/**
 * Refuses requests from other pages. Browsers send the cookie to every port of this machine, so a page of another local
 * server could otherwise use it.
 */
export function ownOrigin(publicOrigin: PublicOrigin): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('Origin');
    const site = c.req.header('Sec-Fetch-Site');
    const isOwn = origin === undefined || origin === publicOrigin || origin === `http://${hostOf(c)}`;
    const isSameSite = site === undefined || site === 'same-origin' || site === 'none';
    const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    // Browsers send an origin with everything but a plain read; scripts send the token itself.
    const isNamed = !changes || origin !== undefined || bearerOf(c) !== undefined;
    if (!isOwn || !isSameSite || !isNamed) {
      return refuse(c, 403, {
        error: 'ForbiddenError',
        message: 'The request comes from another page.',
        advice: 'Use the console’s own page, or send its token as Authorization: Bearer …',
      });
    }
    await next();
    return undefined;
  };
}

/** Lets requests in that have the token or the cookie. */
export function withAccess(access: Access): MiddlewareHandler {
  return async (c, next) => {
    const bearer = bearerOf(c);
    const cookie = getCookie(c, access.cookieName);
    const isIn =
      bearer === undefined
        ? cookie !== undefined && isSame(cookie, access.cookie)
        : isSame(bearer, access.token);
    if (!isIn) {
      return refuse(c, 401, {
        error: 'UnauthorizedError',
        message: 'This browser or script has not shown the token of this console.',
        advice: 'Open the address that the console printed when it started: it has a new token each time.',
      });
    }
    await next();
    return undefined;
  };
}

function bearerOf(c: Context): string | undefined {
  return /^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '')?.[1];
}

function hostOf(c: Context): string {
  return (c.req.header('Host') ?? '').toLowerCase();
}
