import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { defined } from '../defined.ts';
import { UsageError } from '../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../incident-io/base-url.ts';
import { tables } from '../tables/index.ts';
import { withoutParent } from '../tables/parents.ts';
import { nestedIn } from '../tables/nested/index.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table, type TimestampField } from '../tables/table.ts';
import {
  bucketForms,
  destinationOf,
  destinationTakes,
  problemOfDestination,
} from '../warehouse/store/destination.ts';
import { frequenciesInWords, frequencySchema } from './frequency-schema.ts';
import { keyFilePath } from './key-file.ts';
import { assertKnownVersion } from './known-version.ts';
import { columnsSchema } from './columns-schema.ts';
import type { KeyReference } from './key.ts';
import { keyReferenceSchema } from './key-schema.ts';
import { problemsOf, settingsError } from './problems.ts';
import {
  defaultRetention,
  defaultTableSettings,
  personalChoices,
  retentions,
  type Settings,
  settingsVersion,
  type TableSettings,
} from './settings.ts';
import { notifySchema, webhooksSchema } from './hooks-schema.ts';
import { nameInVersion1, upgradeOf } from './version-1.ts';

const connectionPattern = /^[a-z0-9_-]{1,60}$/;

/** The problem with a connection's name; `undefined` if it is valid. */
export function problemOfConnection(name: string): string | undefined {
  return connectionPattern.test(name) ? undefined : connectionTakes;
}
const connectionTakes = 'use at most 60 lower-case letters, digits, _ and -';

/**
 * The format of the file. Each message says what is allowed; the path and the value are put in front of it.
 * @param seconds whether frequencies in seconds are allowed, as they are for an API on this machine
 */
function makeFileSchema(seconds: boolean) {
  return objectOf({
    $schema: z.string({ error: 'use the address of the JSON Schema' }).optional(),
    version: z
      .literal(settingsVersion, { error: `use ${settingsVersion}` })
      .describe('Version of the format of this file.'),
    connection: z
      .string({ error: connectionTakes })
      .regex(connectionPattern, { error: connectionTakes })
      .describe('Name of the connection, which is part of the ids of its schedules.'),
    apiKey: keyReferenceSchema().describe(
      'Where the worker finds the API key: an environment variable, or a file (relative to this one, or ~/…).',
    ),
    baseUrl: z
      .string({ error: baseUrlTakes })
      .refine(isBaseUrl, { error: baseUrlTakes })
      .default(defaultBaseUrl)
      .describe('Another address of the API, such as a sandbox.'),
    destination: z
      .string({ error: destinationTakes })
      .regex(/^(?!(?!(?:s3|gs|abfss|az):)[A-Za-z][A-Za-z0-9+.-]+:\/\/)[^\0]+$/, {
        error: destinationTakes,
        abort: true,
      })
      .check(({ value, issues }) => {
        const problem = problemOfDestination(value);
        if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
      })
      .describe(
        `Folder of the tables (relative to this file), or ${bucketForms}; with ?endpoint=… (s3 also &region=…&pathStyle=true) for a store other than AWS, Google Cloud or Azure.`,
      ),
    pool: z
      .string({ error: connectionTakes })
      .regex(connectionPattern, { error: connectionTakes })
      .optional()
      .describe(
        'Name of the pool of workers that carries out the runs of this connection. Default: the workers of the host, or of the bucket, that the destination is on.',
      ),
    retention: z
      .enum(retentions, { error: `use ${retentions.join(', ')}` })
      .default(defaultRetention)
      .describe('How long rows that were replaced or dropped stay on the disk, and older versions readable.'),
    personal: z
      .enum(personalChoices, { error: `use ${personalChoices.join(', ')}` })
      .optional()
      .describe(
        'How columns with personal data are treated. keep: they land unchanged (default) · hash: text lands as a keyed hash that still joins, everything else is left out · leave_out: they are left out.',
      ),
    hashKey: keyReferenceSchema()
      .optional()
      .describe(
        'For personal: hash. Where the worker finds the hash key, of 32 characters or more; with another key every hash changes.',
      ),
    webhooks: webhooksSchema().optional(),
    notify: notifySchema().optional(),
    tables: objectOf(
      Object.fromEntries(tables.map((table) => [table.name, tableSchema(table, seconds).optional()])),
    )
      .refine((chosen) => Object.keys(chosen).length > 0, { error: 'name at least one table' })
      .check(({ value, issues }) => {
        const chosen = tables.filter(({ name }) => name in value);
        for (const { table, parent } of withoutParent(chosen)) {
          issues.push({
            code: 'custom',
            path: [table],
            message: `add ${parent} too: ${table} is read by its rows`,
            input: {},
          });
        }
      })
      .describe('The tables to keep current.'),
  })
    .refine(({ personal, hashKey }) => personal !== 'hash' || hashKey !== undefined, {
      path: ['hashKey'],
      error: 'personal: hash needs it: use {"env": "NAME"} or {"file": "path"}',
    })
    .refine(({ personal, hashKey }) => personal === 'hash' || hashKey === undefined, {
      path: ['hashKey'],
      error: 'only personal: hash has it',
    });
}

/** Making the schema takes longer than checking a file with it. */
const fileSchemas = new Map<boolean, ReturnType<typeof makeFileSchema>>();

function fileSchema(seconds: boolean) {
  const schema = fileSchemas.get(seconds) ?? makeFileSchema(seconds);
  fileSchemas.set(seconds, schema);
  return schema;
}

const baseUrlTakes = 'use an https:// address, or http:// of this machine, without user name and password';

function tableSchema(table: Table, seconds: boolean) {
  const { name, description } = table;
  const syncMethods = syncMethodsOf(table);
  const incrementalFields = incrementalFieldsOf(table);
  const defaults = defaultTableSettings(table);
  const incremental = table.incremental !== undefined;
  const changesOnly = syncMethods.includes('incremental');
  const forIncremental = 'only incremental syncs have it';
  const wholeOnly = `${name} has no incremental sync, so leave it out`;
  const byParent = `${name} is read by its parents that changed, not by a field, so leave it out`;
  const frequency = frequencySchema(seconds);
  const nested = nestedIn(name);
  return objectOf({
    syncMethod: z
      .enum(syncMethods, { error: `use ${syncMethods.join(' or ')}` })
      .optional()
      .describe(`How the table is synced. Default: ${defaults.syncMethod}.`),
    every: frequency
      .optional()
      .describe(
        `Sync frequency. Default: ${incremental ? '15m for incremental, 6h for full_refresh' : defaults.every}.`,
      ),
    incrementalField: incremental
      ? z
          .enum(incrementalFields as [TimestampField], {
            error: `use ${incrementalFields.join(' or ')}`,
          })
          .optional()
          .describe(
            `For incremental: the field that tells which rows changed. Default: ${incrementalFields[0]}.`,
          )
      : z.never({ error: changesOnly ? byParent : wholeOnly }).optional(),
    fullReadEvery: changesOnly
      ? z
          .union([frequency, z.literal('never')], { error: `use ${frequenciesInWords(seconds)} or never` })
          .optional()
          .describe(
            `For incremental: how often ${incremental ? 'the whole table' : 'each parent, by turns,'} is read anyway, so that deleted rows disappear. Default: ${defaults.fullReadEvery}.`,
          )
      : z.never({ error: wholeOnly }).optional(),
    columns: columnsSchema(table).optional(),
    nested:
      nested.length > 0
        ? z
            .boolean({ error: 'use true or false' })
            .optional()
            .describe(
              `Whether the tables made from lists inside this one are kept current too: ${nested.map(({ name }) => name).join(', ')}. Default: true.`,
            )
        : z.never({ error: `no table is made from ${name}, so leave it out` }).optional(),
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

/** Checked even if other settings of the table are wrong, so that all mistakes are reported at once. */
function isObject({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null;
}

function isIncrementalOr(setting: 'incrementalField' | 'fullReadEvery', table: Table) {
  return (entry: { readonly syncMethod?: unknown; readonly [setting: string]: unknown }) =>
    entry[setting] === undefined || syncMethodsOf(table).length === 1 || entry.syncMethod !== 'full_refresh';
}

/** An object of these settings and no others. */
function objectOf<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: `use an object of ${Object.keys(shape).join(', ')}` });
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
 * @param file the file's path, for messages and for the paths in it
 *
 * Throws one `UsageError` for all mistakes, each with its path, the value and what is allowed.
 */
export function settingsOf(written: unknown, file: string): Settings {
  assertKnownVersion(written, file);
  const upgrade = upgradeOf(written);
  const value = upgrade?.value ?? written;
  const schema = fileSchema(isLoopback((value as { baseUrl?: unknown } | null)?.baseUrl));
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const pathInFile = (path: string) => upgrade?.renamed.get(path) ?? path;
    const knownAt = (path: readonly string[]) =>
      upgrade ? knownKeys(path).map(nameInVersion1) : knownKeys(path);
    throw settingsError(
      file,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, { value, pathInFile, knownAt })),
    );
  }
  const { connection, apiKey, baseUrl, destination, pool, retention, personal, hashKey } = parsed.data;
  const { webhooks, notify } = parsed.data;
  const entries = parsed.data.tables as { readonly [table: string]: Partial<TableSettings> | undefined };
  const folder = dirname(resolve(file));
  const located = (key: KeyReference): KeyReference =>
    'env' in key ? key : { file: keyFilePath(folder, key.file) };
  return {
    version: settingsVersion,
    connection,
    apiKey: located(apiKey),
    baseUrl: checkedBaseUrl(baseUrl),
    destination: destinationOf(destination, folder),
    retention,
    ...defined({
      pool,
      personal,
      hashKey: hashKey && located(hashKey),
      webhooks: webhooks && { secret: located(webhooks.secret) },
      notify: notify && { url: located(notify.url) },
    }),
    tables: Object.fromEntries(
      tables.flatMap((table) => {
        const entry = entries[table.name];
        return entry ? [[table.name, { ...defaultTableSettings(table, entry.syncMethod), ...entry }]] : [];
      }),
    ),
  };
}

/** The settings that exist at a path. */
function knownKeys(path: readonly string[]): string[] {
  if (path.length === 0) return Object.keys(fileSchema(false).shape).filter((key) => key !== '$schema');
  if (path[0] === 'webhooks') return ['secret'];
  if (path[0] === 'notify') return ['url'];
  if (path[0] !== 'tables') return [];
  if (path.length === 1) return tables.map(({ name }) => name);
  return path.length === 2
    ? ['syncMethod', 'every', 'incrementalField', 'fullReadEvery', 'columns', 'nested']
    : ['exclude', 'land'];
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
