import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** The version in package.json, which lies above both the sources and the build. */
export function packageVersion(): string {
  const root = extname(import.meta.url) === '.ts' ? '../' : '../../';
  const text = readFileSync(new URL(`${root}package.json`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
