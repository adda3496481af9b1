import type { PlatformColumn } from '../columns.ts';
import type { Table } from '../../tables/table.ts';
import { syncedAt } from '../../warehouse/delta/target-schema.ts';

// The messages of the Singer specification.

export function schemaMessage(table: Table, columns: readonly PlatformColumn[]): object {
  return {
    type: 'SCHEMA',
    stream: table.name,
    schema: schemaOf(columns),
    key_properties: table.primaryKey,
    bookmark_properties: [syncedAt],
  };
}

export function schemaOf(columns: readonly PlatformColumn[]): object {
  return {
    type: 'object',
    properties: Object.fromEntries(columns.map(({ name, schema }) => [name, schema])),
  };
}

/**
 * A record's line without its data: what comes before and after it. It always has a version: targets delete rows
 * without one at the next `ACTIVATE_VERSION`.
 */
export function recordParts(
  stream: string,
  version: number,
  extractedAt: number,
): readonly [before: string, after: string] {
  const facts = { type: 'RECORD', stream, version, time_extracted: new Date(extractedAt).toISOString() };
  return [`${JSON.stringify(facts).slice(0, -1)},"record":`, '}'];
}

/** Targets then delete, or mark, the rows of other versions. */
export function activateVersion(stream: string, version: number): object {
  return { type: 'ACTIVATE_VERSION', stream, version };
}

/** @param bookmarks of every stream that ever had one: Meltano replaces the whole state */
export function stateMessage(bookmarks: ReadonlyMap<string, unknown>): object {
  return { type: 'STATE', value: { bookmarks: Object.fromEntries(bookmarks) } };
}
