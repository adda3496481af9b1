import type { SyncTableResult } from '../../../workflows/contract.ts';
import { configSchema, type PlatformConfig } from '../config.ts';
import { platformColumns } from '../columns.ts';
import { platformFailure } from '../failure-type.ts';
import type { LineOutput } from '../line-output.ts';
import { linesSql } from '../lines-sql.ts';
import { openPlace } from '../place.ts';
import { type Given, readStreams, type Told } from '../read-streams.ts';
import { blobOf } from '../stream-state.ts';
import { describeResult } from '../describe-result.ts';
import { type AirbyteStream, configuredStreams } from './catalog.ts';
import { airbyteDialect } from './dialect.ts';
import { errorTrace, log, recordParts, streamState, streamStatus } from './messages.ts';

/** `read`. @returns whether all streams were read */
export async function read(
  config: PlatformConfig,
  { catalog, state }: { readonly catalog: unknown; readonly state: unknown },
  output: LineOutput,
  signal: AbortSignal,
): Promise<boolean> {
  const streams = configuredStreams(catalog, state);
  const place = await openPlace(config);
  try {
    if (!place.isKept) await output.message(log('WARN', noPlace));
    const failed = await readStreams(config, place, streams, toldInMessages(config, output), signal);
    if (failed === 0) return true;
    const error = { type: 'system_error', cause: 'StreamsFailed' } as const;
    const message = `${failed} of ${streams.length} streams could not be read. The reason of each is in its own message.`;
    await output.message(errorTrace({ ...error, message }));
    return false;
  } finally {
    await place.close();
  }
}

const noPlace = `The config names no place for the tables (${configSchema.properties['warehouse']!.title}). ${configSchema.properties['warehouse']!.description}`;

function toldInMessages(config: PlatformConfig, output: LineOutput): Told<AirbyteStream> {
  const dialect = airbyteDialect(config);
  const emittedAt = Date.now();
  const started = new Set<AirbyteStream>();
  /** `RUNNING` is said once, at the first record. */
  const running = async (stream: AirbyteStream) => {
    if (started.has(stream)) return;
    started.add(stream);
    await output.message(streamStatus(stream.name, 'RUNNING'));
  };
  /** Records since the last state. */
  const counts = new Map<AirbyteStream, number>();
  return {
    started: ({ name }) => output.post(streamStatus(name, 'STARTED')),
    waits: ({ name }, until) => {
      if (until !== undefined) output.post(streamStatus(name, 'RUNNING', until));
    },
    synced: ({ name }, result: SyncTableResult) => {
      for (const { level, text } of describeResult(name, result)) output.post(log(level, text));
    },
    async begin({ name, selected }, given: Given) {
      const all = platformColumns(given.table, given.after, dialect);
      const columns = selected ? all.filter((column) => selected.has(column.name)) : all;
      const declared = new Set(platformColumns(given.table, undefined, dialect).map((column) => column.name));
      const untold = all.filter((column) => !columns.includes(column) && !declared.has(column.name));
      if (untold.length > 0) {
        const names = untold.map((column) => column.name).join(', ');
        await output.message(
          log('WARN', `${name}: new columns are not loaded until the schema is refreshed: ${names}.`),
        );
      }
      return linesSql(columns, given, dialect, recordParts(name, emittedAt));
    },
    async rows(stream, { path, lines }, reached) {
      await running(stream);
      await output.file(path);
      const count = (counts.get(stream) ?? 0) + lines;
      counts.set(stream, reached ? 0 : count);
      if (reached) await output.message(streamState(stream.name, blobOf(reached), count));
    },
    async complete(stream, reached) {
      await running(stream);
      await output.message(streamState(stream.name, blobOf(reached), counts.get(stream) ?? 0));
      await output.message(streamStatus(stream.name, 'COMPLETE'));
    },
    async failed({ name }, error) {
      await output.message(errorTrace(platformFailure(error), name));
      await output.message(streamStatus(name, 'INCOMPLETE'));
    },
  };
}
