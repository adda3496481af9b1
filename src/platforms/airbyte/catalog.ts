import { UsageError } from '../../errors.ts';
import { tableNamed } from '../../tables/index.ts';
import type { Table } from '../../tables/table.ts';
import type { Snapshot } from '../../warehouse/delta/snapshot.ts';
import { syncedAt } from '../../warehouse/delta/target-schema.ts';
import { type Dialect, platformColumns } from '../columns.ts';
import type { Stream } from '../read-streams.ts';
import type { StateBlob } from '../stream-state.ts';

/** A table as the catalog shows it. */
export function catalogStream(table: Table, snapshot: Snapshot | undefined, dialect: Dialect): object {
  const properties = platformColumns(table, snapshot, dialect).map(({ name, schema }) => [name, schema]);
  return {
    name: table.name,
    json_schema: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      additionalProperties: true,
      description: table.description,
      properties: Object.fromEntries(properties),
    },
    supported_sync_modes: ['full_refresh', 'incremental'],
    source_defined_cursor: true,
    // Not `updated_at`: a deleted row has no newer one, and destinations let only a newer cursor replace a row.
    default_cursor_field: [syncedAt],
    source_defined_primary_key: table.primaryKey.map((column) => [column]),
    is_resumable: true,
  };
}

/** A stream of a configured catalog. */
export type AirbyteStream = Stream & {
  /** The columns that the catalog selects; `undefined` if it selects none in particular. */
  readonly selected: ReadonlySet<string> | undefined;
};

type Json = { readonly [field: string]: unknown };

/**
 * The streams of a configured catalog, with their states. The generations in the catalog are not heeded: platforms give
 * all of them for an ordinary read, and an empty state for a refresh.
 * Throws `UsageError` if either is not what the protocol says.
 */
export function configuredStreams(catalog: unknown, states: unknown): AirbyteStream[] {
  const streams = isObject(catalog) ? catalog['streams'] : undefined;
  if (!Array.isArray(streams)) throw invalid('The catalog has no list of streams.');
  const byStream = statesOf(states);
  return streams.map((configured: unknown) => {
    const stream = isObject(configured) ? configured['stream'] : undefined;
    const name = isObject(stream) ? stream['name'] : undefined;
    if (!isObject(configured) || !isObject(stream) || typeof name !== 'string') {
      throw invalid('The catalog has a stream without a name.');
    }
    const selected = selectedIn(stream['json_schema']);
    return {
      name,
      selected,
      whole: configured['sync_mode'] === 'full_refresh',
      state: byStream.get(name),
      table: () => selectedTable(name, selected),
    };
  });
}

function selectedTable(name: string, selected: ReadonlySet<string> | undefined): Table {
  const table = tableNamed(name);
  const missing = table.primaryKey.filter((column) => selected?.has(column) === false);
  if (missing.length === 0) return table;
  throw new UsageError(
    `The catalog leaves out ${missing.join(', ')} of ${name}, which is its primary key.`,
    'Select that field, or leave out the stream.',
  );
}

function selectedIn(schema: unknown): Set<string> | undefined {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  const names = isObject(properties) ? Object.keys(properties) : [];
  return names.length === 0 ? undefined : new Set(names);
}

/** The states by stream: a list of whole messages in any order, in which much may be null. */
function statesOf(states: unknown): Map<string, unknown> {
  const list = states === undefined || states === null ? [] : Array.isArray(states) ? states : [states];
  const found = new Map<string, StateBlob | null>();
  for (const message of list as unknown[]) {
    const state = isObject(message) && isObject(message['state']) ? message['state'] : message;
    const stream = isObject(state) ? state['stream'] : undefined;
    if (!isObject(stream)) {
      if (isObject(state) && Object.keys(state).length === 0) continue;
      throw invalid('The state is not a list of states of streams.');
    }
    const descriptor = stream['stream_descriptor'];
    const name = isObject(descriptor) ? descriptor['name'] : undefined;
    if (typeof name !== 'string') throw invalid('The state names no stream.');
    found.set(name, stream['stream_state'] as StateBlob | null);
  }
  return found;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): UsageError {
  return new UsageError(message, 'Give the file that the platform writes for this command.');
}
