import { readFile } from 'node:fs/promises';
import { extname, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'hono';

/** The folder of the built page: `dist/console`, from the sources and from the build alike. */
export function pageFolder(): string {
  return fileURLToPath(
    new URL(
      import.meta.url.endsWith('.ts') ? '../../../dist/console/' : '../../../console/',
      import.meta.url,
    ),
  );
}

const notBuilt = 'The page of the console is not built. In a checkout, run npm run build first.\n';

const types: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** A file of the page; any path without an extension is the page itself. */
export async function pageFile(c: Context, folder: string): Promise<Response> {
  // No file of the page has a name that needs escaping.
  if (c.req.path.includes('%')) return c.notFound();
  const path = normalize(c.req.path);
  const name = extname(path) === '' ? 'index.html' : path;
  const file = resolve(folder, `.${sep}${name}`);
  const type = types[extname(file)];
  if (!file.startsWith(resolve(folder) + sep) || type === undefined) return c.notFound();
  try {
    const bytes = await readFile(file);
    // The names of assets contain a hash of their content; the page refers to the newest.
    const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-store';
    return c.body(new Uint8Array(bytes), 200, { 'Content-Type': type, 'Cache-Control': cache });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return name === 'index.html' ? c.text(notBuilt, 503) : c.notFound();
  }
}
