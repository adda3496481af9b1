import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { setCookie } from 'hono/cookie';
import type { Log } from '../../serving/logs.ts';
import { type Access, isSame } from './access.ts';
import { openApiDocument } from './openapi.ts';
import { pageFile } from './page-files.ts';
import { failed, refuse } from './problems.ts';
import { addRoutes, type Handlers } from './routes.ts';
import { knownHost, ownOrigin, type PublicOrigin, safeHeaders, withAccess } from './safety.ts';

/** Larger than any settings; a larger body is a mistake or an attack. */
const largestBody = 1024 * 1024;

export type AppOptions = {
  readonly access: Access;
  /** The address of a proxy in front, if there is one. */
  readonly publicOrigin: PublicOrigin;
  /** The folder of the built page. */
  readonly page: string;
  readonly log: Log;
  /** Ends the streams. */
  readonly signal: AbortSignal;
};

function tooLarge(c: Context): Response {
  return refuse(c, 413, {
    error: 'UsageError',
    message: 'The body is larger than 1 MiB.',
    advice: 'No request to the console needs that much.',
  });
}

/** The console's HTTP: the page, and the API behind the token. */
export function createApp(handlers: Handlers, options: AppOptions): Hono {
  const { access, publicOrigin, page, log, signal } = options;
  const app = new Hono();
  app.use(safeHeaders(), knownHost(publicOrigin));
  app.use(
    '/api/*',
    ownOrigin(publicOrigin),
    withAccess(access),
    bodyLimit({ maxSize: largestBody, onError: tooLarge }),
  );
  app.get('/api/openapi.json', (c) => c.json(openApiDocument()));
  addRoutes(app, handlers, { log, signal });
  app.get('/', async (c, next) => {
    const token = c.req.query('token');
    if (token === undefined) return next();
    if (isSame(token, access.token)) {
      setCookie(c, access.cookieName, access.cookie, {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
        secure: publicOrigin !== undefined,
      });
    }
    // Either way the token leaves the address bar, and the page says whether it was right.
    c.header('Cache-Control', 'no-store');
    return c.redirect('/', 303);
  });
  app.get('*', (c) => (c.req.path.startsWith('/api/') ? c.notFound() : pageFile(c, page)));
  app.notFound((c) =>
    refuse(c, 404, {
      error: 'NotFoundError',
      message: 'There is nothing at this path.',
      advice: 'See /api/openapi.json for the paths there are.',
    }),
  );
  app.onError((error, c) => failed(c, error, log));
  return app;
}
