import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../incident-io/base-url.ts';
import { nearest } from '../nearest.ts';
import { variablePattern } from './key.ts';
import {
  defaultRetention,
  defaultTableSettings,
  frequencies,
  retentions,
  type Settings,
  settingsVersion,
  type TableSettings,
} from './settings.ts';
import { tables } from '../tables/index.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table, type TimestampField } from '../tables/table.ts';
import {
  destinationOf,
  destinationTakes,
  problemOfDestination,
  shownDestination,
} from '../warehouse/store/destination.ts';

const connectionPattern = /^[a-z0-9_-]{1,60}$/;
const secondsPattern = /^[1-9][0-9]{0,4}s$/;

/** What is wrong with a connection's name; `undefined` where nothing is. */
export function problemOfConnection(name: string): string | undefined {
  return connectionPattern.test(name) ? undefined : connectionTakes;
}
const connectionTakes = 'it takes small letters, digits, _ and -, at most 60 of them';

/**
 * The form of the file. Each message says what is allowed; path and value are put before it.
 * @param seconds whether frequencies of seconds are, for an API on this machine.
 */
function fileSchema(seconds: boolean) {
  return objectOf({
    $schema: z.string({ error: 'it takes the address of the JSON Schema' }).optional(),
    version: z
      .literal(settingsVersion, { error: `it takes ${settingsVersion}` })
      .describe('Version of the form of this file.'),
    connection: z
      .string({ error: connectionTakes })
      .regex(connectionPattern, { error: connectionTakes })
      .describe('Name of the connection; the ids of its schedules are made of it.'),
    apiKey: z
      .union(
        [
          z.strictObject({ env: z.string().regex(variablePattern, { abort: true }) }),
          z.strictObject({ file: z.string().min(1, { abort: true }) }),
        ],
        { error: 'it takes {"env": "NAME"} or {"file": "path"}, and never the key itself' },
      )
      .describe('Where the worker finds the API key: a variable, or a file (relative to this one).'),
    baseUrl: z
      .string({ error: baseUrlTakes })
      .refine(isBaseUrl, { error: baseUrlTakes })
      .default(defaultBaseUrl)
      .describe('Another address of the API, such as a sandbox.'),
    destination: z
      .string({ error: destinationTakes })
      .regex(/^(?!(?!s3:)[A-Za-z][A-Za-z0-9+.-]+:\/\/)[^\0]+$/, { error: destinationTakes, abort: true })
      .check(({ value, issues }) => {
        const problem = problemOfDestination(value);
        if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
      })
      .describe(
        'Folder of the tables, relative to this file, or s3://bucket/prefix; with ?endpoint=…&region=…&pathStyle=true for a store other than AWS.',
      ),
    retention: z
      .enum(retentions, { error: `it takes ${retentions.join(', ')}` })
      .default(defaultRetention)
      .describe('How long replaced and dropped rows stay on the disk, and older versions readable.'),
    tables: objectOf(
      Object.fromEntries(tables.map((table) => [table.name, tableSchema(table, seconds).optional()])),
    )
      .refine((chosen) => Object.keys(chosen).length > 0, { error: 'it takes one table or more' })
      .describe('The tables to keep current.'),
  });
}

const baseUrlTakes = 'it takes an https:// address, or http:// of this machine, without user and password';

function tableSchema(table: Table, seconds: boolean) {
  const { name, description } = table;
  const syncMethods = syncMethodsOf(table);
  const incrementalFields = incrementalFieldsOf(table);
  const defaults = defaultTableSettings(table);
  const incremental = table.incremental !== undefined;
  const forIncremental = 'it is only for "syncMethod": "incremental"';
  const frequency = frequencySchema(seconds);
  return objectOf({
    syncMethod: z
      .enum(syncMethods, { error: `it takes ${syncMethods.join(' or ')}` })
      .optional()
      .describe(`How the table is kept current. Default: ${defaults.syncMethod}.`),
    every: frequency
      .optional()
      .describe(
        `Sync frequency. Default: ${incremental ? '15m for incremental, 6h for full_refresh' : defaults.every}.`,
      ),
    incrementalField: incremental
      ? z
          .enum(incrementalFields as [TimestampField], {
            error: `it takes ${incrementalFields.join(' or ')}`,
          })
          .optional()
          .describe(`For incremental. Default: ${incrementalFields[0]}.`)
      : z.never({ error: `${name} is always read whole, so it takes none` }).optional(),
    fullReadEvery: incremental
      ? z
          .union([frequency, z.literal('never')], { error: `it takes ${allowed(seconds)} or never` })
          .optional()
          .describe(
            `For incremental: how often everything is read all the same, so that deleted rows go. Default: ${defaults.fullReadEvery}.`,
          )
      : z.never({ error: `${name} is always read whole, so it takes none` }).optional(),
  })
    .refine(isIncrementalOr('incrementalField', table), {
      path: ['incrementalField'],
      error: forIncremental,
      when: isObject,
    })
    .refine(isIncrementalOr('fullReadEvery', table), {
      path: ['fullReadEvery'],
      error: forIncremental,
      when: isObject,
    })
    .describe(description);
}

/** Checked though other settings of the table are wrong, so that all mistakes are told at once. */
function isObject({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null;
}

function isIncrementalOr(setting: 'incrementalField' | 'fullReadEvery', table: Table) {
  return (entry: { readonly syncMethod?: unknown; readonly [setting: string]: unknown }) =>
    entry[setting] === undefined || !table.incremental || entry.syncMethod !== 'full_refresh';
}

function frequencySchema(seconds: boolean) {
  const list = z.enum(frequencies);
  const error = `it takes ${allowed(seconds)}`;
  if (!seconds) return z.enum(frequencies, { error });
  const tried = z
    .string()
    .regex(secondsPattern, { abort: true })
    .describe('Seconds, only where baseUrl is on this machine.') as unknown as z.ZodType<`${number}s`>;
  return z.union([list, tried], { error });
}

function allowed(seconds: boolean): string {
  return seconds
    ? `${frequencies.join(', ')} or seconds such as 10s`
    : `${frequencies.join(', ')} (seconds such as 10s only where baseUrl is on this machine)`;
}

/** An object of these settings and no others. */
function objectOf<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: `it takes an object of ${Object.keys(shape).join(', ')}` });
}

function isBaseUrl(text: string): boolean {
  try {
    checkedBaseUrl(text);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/**
 * The settings in a file's parsed JSON.
 * @param file its path, for messages and for the paths in it
 *
 * Throws one `UsageError` for all mistakes: each with its path, the value and what is allowed.
 */
export function settingsOf(written: unknown, file: string): Settings {
  assertKnownVersion(written, file);
  const value = inVersion2(written);
  const schema = fileSchema(isLoopback((value as { baseUrl?: unknown } | null)?.baseUrl));
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw settingsError(
      file,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, value)),
    );
  }
  const { connection, apiKey, baseUrl, destination, retention } = parsed.data;
  const entries = parsed.data.tables as { readonly [table: string]: Partial<TableSettings> | undefined };
  const folder = dirname(resolve(file));
  return {
    version: settingsVersion,
    connection,
    apiKey: 'env' in apiKey ? apiKey : { file: resolve(folder, apiKey.file) },
    baseUrl: checkedBaseUrl(baseUrl),
    destination: destinationOf(destination, folder),
    retention,
    tables: Object.fromEntries(
      tables.flatMap((table) => {
        const entry = entries[table.name];
        return entry ? [[table.name, { ...defaultTableSettings(table, entry.syncMethod), ...entry }]] : [];
      }),
    ),
  };
}

/** One error that tells of all problems of a settings file. */
export function settingsError(file: string, problems: readonly string[]): UsageError {
  const what =
    problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  - ${problem}`).join('');
  return new UsageError(`${file}:${what}`, 'Correct this and try again; nothing was changed.');
}

/** The names of version 1 as version 2 has them; anything else stays, for the schema to judge. */
function inVersion2(value: unknown): unknown {
  if (!isRecord(value) || value['version'] !== 1) return value;
  const { tables } = value;
  if (!isRecord(tables)) return { ...value, version: settingsVersion };
  const renamed = Object.entries(tables).map(([name, entry]) => [
    name,
    isRecord(entry)
      ? Object.fromEntries(
          Object.entries(entry).map(([key, setting]) => [namesOfVersion1[key] ?? key, setting]),
        )
      : entry,
  ]);
  return { ...value, version: settingsVersion, tables: Object.fromEntries(renamed) as unknown };
}
const namesOfVersion1: { readonly [name: string]: string } = {
  sync: 'syncMethod',
  fullRefreshEvery: 'fullReadEvery',
};

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function assertKnownVersion(value: unknown, file: string): void {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version !== 'number' || version <= settingsVersion) return;
  throw new UsageError(
    `${file} is of version ${version}; this program reads version ${settingsVersion} and older.`,
    'Update incident-io-source, or use the settings file of an older one.',
  );
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path.map(String));
    return issue.keys.map((key) => {
      const place = issue.path.length === 0 ? 'The settings' : issue.path.join('.');
      const near = nearest(key, known);
      const question = near === undefined ? '.' : `; did you mean ${near}?`;
      return `${place} ${issue.path.length === 0 ? 'take' : 'takes'} no ${JSON.stringify(key)}${question}`;
    });
  }
  const { path, message } = issue;
  const name = path.length === 0 ? 'The file' : path.join('.');
  const found = path.reduce<unknown>(
    (value, key) => (value as { readonly [key: PropertyKey]: unknown } | null | undefined)?.[key],
    root,
  );
  return [`${name} ${found === undefined ? 'is missing' : `is ${shown(name, found)}`}; ${message}.`];
}

/** What may stand in the object at a path. */
function knownKeys(path: readonly string[]): string[] {
  if (path.length === 0) return Object.keys(fileSchema(false).shape).filter((key) => key !== '$schema');
  if (path[0] !== 'tables') return [];
  return path.length === 1
    ? tables.map(({ name }) => name)
    : ['syncMethod', 'every', 'incrementalField', 'fullReadEvery'];
}

/** The value as it stands in the file; not where somebody may have put the key itself. */
function shown(name: string, value: unknown): string {
  if (name === 'apiKey' || name === 'The file') return 'of another form';
  const text = JSON.stringify(
    ['destination', 'baseUrl'].includes(name) && typeof value === 'string' ? shownDestination(value) : value,
  );
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function isLoopback(baseUrl: unknown): boolean {
  // Plain http is for this machine only, and a sandbox has no certificate.
  return typeof baseUrl === 'string' && baseUrl.startsWith('http:') && isBaseUrl(baseUrl);
}

/** The JSON Schema of a settings file, for editors. */
export function settingsJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema(true), { io: 'input' });
  return { $schema, title: 'Settings of incident-io-source', ...schema };
}
