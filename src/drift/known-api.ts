import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ApiDocument, parseDocument } from './document.ts';

/** In the project's root: two folders above the sources, three above the build. */
const places = ['../..', '../../..'].map((levels) => resolve(import.meta.dirname, levels, 'known-api.json'));

/**
 * The document that the tables were last brought up to date with: its lists, without the texts for people.
 * `scripts/known-api.ts` writes it.
 */
export function knownApi(): ApiDocument {
  const file = places.find(existsSync);
  if (file === undefined) throw new Error(`this package lacks ${places[0]}`);
  return parseDocument(readFileSync(file, 'utf8'), file);
}
