import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { runAirbyte } from '../../src/platforms/airbyte/run-airbyte.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';

export type Message = { readonly type: string; readonly [field: string]: unknown };
export type Row = { readonly [column: string]: unknown };

/** An account and a folder with the files that a platform writes. */
export type PlatformWorld = {
  readonly sandbox: Sandbox;
  readonly folder: string;
  /** Writes a file as JSON and returns its path. */
  readonly file: (name: string, content: unknown) => Promise<string>;
  readonly config: { readonly [field: string]: unknown };
};

/** @param kept whether the config names a place for the tables */
export async function platformWorld(kept: boolean, options: SandboxOptions = {}): Promise<PlatformWorld> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 60, incident_updates: 0, follow_ups: 30, alerts: 0, escalations: 0, users: 5 },
    ...options,
  });
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-platform-'));
  onTestFinished(async () => {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    sandbox,
    folder,
    async file(name, content) {
      const path = join(folder, name);
      await writeFile(path, JSON.stringify(content));
      return path;
    },
    config: {
      api_key: sandbox.key,
      base_url: sandbox.url,
      ...(kept && { warehouse: join(folder, 'warehouse') }),
    },
  };
}

/** What one call printed. */
export type Called = {
  readonly code: number;
  readonly messages: readonly Message[];
  /** Records by stream, in order. */
  readonly records: (stream: string) => Row[];
  /** The last state of each stream, as Airbyte gives it back. */
  readonly state: readonly object[];
  readonly text: string;
};

/** A catalog of streams, as the platform configures it. */
export function catalogOf(
  names: readonly string[],
  syncMode: 'incremental' | 'full_refresh' = 'incremental',
): object {
  return {
    streams: names.map((name) => ({
      stream: { name, json_schema: {}, supported_sync_modes: ['full_refresh', 'incremental'] },
      sync_mode: syncMode,
      destination_sync_mode: 'append_dedup',
    })),
  };
}

/** A `read` of Airbyte's in this process. */
export async function airbyteRead(
  world: PlatformWorld,
  catalog: object,
  state: unknown = [],
  config: object = world.config,
): Promise<Called> {
  const argv = ['read', '--config', await world.file('config.json', config)];
  argv.push('--catalog', await world.file('catalog.json', catalog));
  argv.push('--state', await world.file('state.json', state));
  return airbyte(argv);
}

export async function airbyte(argv: readonly string[]): Promise<Called> {
  const chunks: Buffer[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const code = await runAirbyte(argv, { stdout, signal: new AbortController().signal });
  return calledOf(code, Buffer.concat(chunks).toString());
}

export function calledOf(code: number, text: string): Called {
  const messages = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Message);
  const state = new Map<string, object>();
  for (const message of messages) {
    if (message.type !== 'STATE') continue;
    const { stream } = message['state'] as { stream: { stream_descriptor: { name: string } } };
    state.set(stream.stream_descriptor.name, message['state'] as object);
  }
  return {
    code,
    messages,
    text,
    state: [...state.values()],
    records: (stream) =>
      messages
        .filter(({ type }) => type === 'RECORD')
        .map(({ record }) => record as { stream: string; data: Row })
        .filter((record) => record.stream === stream)
        .map(({ data }) => data),
  };
}

/** What a destination that keeps one row per id holds after these reads; deleted rows are gone. */
export function held(rows: readonly Row[], before: ReadonlyMap<string, Row> = new Map()): Map<string, Row> {
  const all = new Map(before);
  for (const row of rows) {
    const id = String(row['id']);
    if (row['_ab_cdc_deleted_at'] === null) all.set(id, row);
    else all.delete(id);
  }
  return all;
}

/** The errors that a call reported, by stream. */
export function errorsIn({
  messages,
}: Called): { stream: string | undefined; type: string; message: string }[] {
  return messages.flatMap(({ type, trace }) => {
    const facts = trace as
      | {
          type: string;
          error: { message: string; failure_type: string; stream_descriptor?: { name: string } };
        }
      | undefined;
    if (type !== 'TRACE' || facts?.type !== 'ERROR') return [];
    const { message, failure_type, stream_descriptor: stream } = facts.error;
    return [{ stream: stream?.name, type: failure_type, message }];
  });
}

export function idsOf(sandbox: Sandbox, table: string): string[] {
  return [...sandbox.records(table)].map((record) => sandbox.idOf(table, record));
}

/** A row of a message or of a destination in the form in which delta-rs reads it. */
export function asDeltaRs(name: string, row: Row): Row {
  const { columns } = tableNamed(name);
  const cells = Object.entries(row).map(([column, value]) => {
    const type = columns[column]?.type;
    if (type === 'json' && typeof value === 'object' && value !== null)
      return [column, JSON.stringify(value)];
    return [column, type === 'bigint' && typeof value === 'number' ? String(value) : value];
  });
  return Object.fromEntries(cells) as Row;
}
