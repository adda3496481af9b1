import { UsageError } from '../../errors.ts';
import { defaultTables, tableNamed } from '../../tables/index.ts';
import { isChild } from '../../tables/parents.ts';
import type { Table } from '../../tables/table.ts';
import type { Snapshot } from '../../warehouse/delta/snapshot.ts';
import { syncedAt } from '../../warehouse/delta/target-schema.ts';
import { type Dialect, platformColumns } from '../columns.ts';
import { schemaOf } from './messages.ts';

type Json = { readonly [field: string]: unknown };

/** A table as the catalog shows it. */
export function catalogEntry(table: Table, snapshot: Snapshot | undefined, dialect: Dialect): object {
  const columns = platformColumns(table, snapshot, dialect);
  const always = [...table.primaryKey, syncedAt, dialect.deletedAt];
  return {
    tap_stream_id: table.name,
    stream: table.name,
    schema: schemaOf(columns),
    key_properties: table.primaryKey,
    metadata: [
      {
        breadcrumb: [],
        metadata: {
          inclusion: 'available',
          'selected-by-default': defaultTables.includes(table),
          'table-key-properties': table.primaryKey,
          'forced-replication-method': 'INCREMENTAL',
          'valid-replication-keys': [syncedAt],
        },
      },
      ...columns.map(({ name }) => ({
        breadcrumb: ['properties', name],
        metadata: { inclusion: always.includes(name) ? 'automatic' : 'available' },
      })),
    ],
  };
}

/** A stream that a catalog selects. */
export type Selection = {
  readonly name: string;
  /** Properties that are left out. */
  readonly without: ReadonlySet<string>;
};

/**
 * What is read without a catalog.
 * @param isKept whether there is a place for the tables, without which some cannot be read
 */
export function defaultSelections(isKept: boolean): Selection[] {
  return defaultTables
    .filter((table) => isKept || !isChild(table))
    .map(({ name }) => ({ name, without: new Set() }));
}

/** The streams that a catalog selects. Throws `UsageError` if it is not one. */
export function selectionsIn(catalog: unknown): Selection[] {
  const streams = isObject(catalog) ? catalog['streams'] : undefined;
  if (!Array.isArray(streams)) throw invalid('The catalog has no list of streams.');
  return (streams as unknown[]).flatMap((entry) => {
    const name = isObject(entry) ? (entry['tap_stream_id'] ?? entry['stream']) : undefined;
    if (!isObject(entry) || typeof name !== 'string')
      throw invalid('The catalog has a stream without a name.');
    const metadata = metadataOf(entry);
    const own = metadata.get('') ?? {};
    const selected = own['selected'] ?? entry['selected'] ?? own['selected-by-default'] ?? true;
    if (selected !== true) return [];
    const without = [...metadata].filter(([, facts]) => isLeftOut(facts)).map(([path]) => path);
    return [{ name, without: new Set(without) }];
  });
}

function isLeftOut({ selected, inclusion }: Json): boolean {
  return inclusion === 'unsupported' || selected === false;
}

/** The facts about a stream (under the empty name) and its properties. */
function metadataOf({ metadata }: Json): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const entry of Array.isArray(metadata) ? (metadata as unknown[]) : []) {
    if (!isObject(entry) || !Array.isArray(entry['breadcrumb']) || !isObject(entry['metadata'])) continue;
    const [, property = ''] = entry['breadcrumb'] as string[];
    found.set(property, entry['metadata']);
  }
  return found;
}

/** The table of a selection. Throws `UsageError` if there is none, or if its key is left out. */
export function selectedTable({ name, without }: Selection): Table {
  const table = tableNamed(name);
  const missing = table.primaryKey.filter((column) => without.has(column));
  if (missing.length === 0) return table;
  throw new UsageError(
    `The catalog leaves out ${missing.join(', ')} of ${name}, which is its primary key.`,
    'Select that property, or leave out the stream.',
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): UsageError {
  return new UsageError(message, 'Give the catalog that --discover prints.');
}
