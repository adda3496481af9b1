import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { settingsJsonSchema, settingsOf } from '../../../src/settings/schema.ts';
import { parseSettings, readSettings, writeSettings } from '../../../src/settings/file.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const good = {
  version: 2,
  connection: 'prod',
  apiKey: { env: 'INCIDENT_IO_API_KEY' },
  destination: './warehouse',
  tables: { incidents: {}, users: {} },
};

const parsed = (value: unknown, file = '/settings/incident-io.json') => settingsOf(value, file);

/** What is said of these settings, which are refused. */
function refusal(value: unknown): string {
  try {
    parsed(value);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('not refused');
}

describe('settings', () => {
  it('fill in the defaults of each table and make paths absolute from the file', () => {
    const apiKey = { file: '../keys/prod' };
    const tables = {
      alerts: {},
      users: {},
      incidents: { syncMethod: 'full_refresh' },
      follow_ups: { every: '1h' },
    };
    expect(parsed({ ...good, apiKey, tables })).toEqual({
      version: 2,
      connection: 'prod',
      apiKey: { file: '/keys/prod' },
      baseUrl: 'https://api.incident.io',
      destination: '/settings/warehouse',
      retention: '7d',
      tables: {
        alerts: {
          syncMethod: 'incremental',
          incrementalField: 'updated_at',
          every: '15m',
          fullReadEvery: '7d',
        },
        follow_ups: {
          syncMethod: 'incremental',
          incrementalField: 'updated_at',
          every: '1h',
          fullReadEvery: '24h',
        },
        incidents: { syncMethod: 'full_refresh', every: '6h' },
        users: { syncMethod: 'full_refresh', every: '6h' },
      },
    });
  });

  it('are read from a file of version 1, whose names differ', () => {
    const names = { sync: 'incremental', fullRefreshEvery: 'never' };
    const old = parsed({ ...good, version: 1, tables: { incidents: names } });
    const now = { syncMethod: 'incremental', fullReadEvery: 'never' };
    expect(old).toEqual(parsed({ ...good, tables: { incidents: now } }));
    expect(old).toMatchObject({ version: 2, tables: { incidents: now } });
  });

  it('are refused with all mistakes at once, each with its path, the value and what is allowed', () => {
    const message = refusal({
      ...good,
      conection: 'x',
      connection: 'Prod!',
      destination: 7,
      tables: {
        incidents: { syncMethod: 'full_refresh', every: '20m', fullReadEvery: '24h' },
        users: { incrementalField: 'updated_at', evry: '6h' },
        alerts: { syncMethod: 'often', incrementalField: 'created_at' },
        incident: {},
      },
    });
    const lines = message.split('\n');
    for (const expected of [
      'The settings take no "conection"; did you mean connection?',
      'connection is "Prod!"; it takes small letters, digits, _ and -, at most 60 of them.',
      'destination is 7; it takes the path of a folder,',
      'tables.incidents.every is "20m"; it takes 5m, 15m, 30m, 1h, 6h, 12h, 24h, 7d, 30d',
      'tables.incidents.fullReadEvery is "24h"; it is only for "syncMethod": "incremental".',
      'tables.users.incrementalField is "updated_at"; users is always read whole, so it takes none.',
      'tables.users takes no "evry"; did you mean every?',
      'tables.alerts.syncMethod is "often"; it takes incremental or full_refresh.',
      'tables.alerts.incrementalField is "created_at"; it takes updated_at.',
      'tables takes no "incident"; did you mean incidents?',
    ]) {
      expect(lines).toContainEqual(expect.stringContaining(expected));
    }
    expect(lines).toHaveLength(11);
  });

  it.each([
    [{ ...good, version: 3 }, 'is of version 3; this program reads version 2'],
    [{ ...good, version: undefined }, 'version is missing; it takes 2.'],
    [{ ...good, tables: {} }, 'tables is {}; it takes one table or more.'],
    [{ ...good, tables: { incidents: { every: '10s' } } }, 'tables.incidents.every is "10s"'],
    [{ ...good, destination: 'gs://bucket' }, 'destination is "gs://bucket"; it takes the path of a folder'],
    [
      { ...good, destination: 's3://me:secret@bucket' },
      'destination is "s3://…@bucket"; credentials do not belong in it',
    ],
    [
      { ...good, destination: 's3://bucket/a?key=secret' },
      'destination is "s3://bucket/a?…"; it has no parameter key',
    ],
    [{ ...good, retention: '12h' }, 'retention is "12h"; it takes 1d, 3d, 7d, 14d, 30d.'],
    [{ ...good, baseUrl: 'http://example.com' }, 'baseUrl is "http://example.com"'],
    [[], 'The file is of another form'],
    [null, 'The file is of another form'],
  ])('are refused: %j', (value, expected) => {
    expect(refusal(value)).toContain(expected);
  });

  it('take seconds where the API is on this machine', () => {
    const tables = { incidents: { every: '10s', fullReadEvery: 'never' } };
    const settings = parsed({ ...good, baseUrl: 'http://127.0.0.1:8080', tables });
    expect(settings.tables['incidents']).toMatchObject({ every: '10s', fullReadEvery: 'never' });
  });

  it.each(['inc-SECRET-key', { env: 'inc-SECRET-key' }, { file: 'x', key: 'inc-SECRET-key' }])(
    'never repeat a key that was put where its reference belongs: %j',
    (apiKey) => {
      expect(refusal({ ...good, apiKey })).not.toContain('SECRET');
    },
  );

  it('are refused where a table stands twice, also with the same words, and where they are no JSON', async () => {
    const twice = JSON.stringify(good, undefined, 1).replace('"users": {}', '"incidents": {}');
    await expect(parseSettings(twice, 'f.json')).rejects.toThrow(
      'f.json: "incidents" stands twice in one object, again in line 10.',
    );
    await expect(
      parseSettings('{"tables": {"users": {}, "users": {"every": "1h"}}}', 'f.json'),
    ).rejects.toThrow('"users" stands twice');
    await expect(parseSettings('{\n "apiKey": inc-SECRET', 'f.json')).rejects.toThrow(
      /^f.json: this is not JSON; the first mistake is in line 2.$/,
    );
  });

  it('are told to be made where there are none', async () => {
    const file = join(await temporaryFolder(), 'none.json');
    await expect(readSettings(file)).rejects.toThrow(`There is no settings file ${file}.`);
  });
});

describe('any JSON', () => {
  const entry = fc.record(
    {
      sync: fc.oneof(fc.constantFrom('incremental', 'full_refresh'), fc.jsonValue()),
      every: fc.oneof(fc.constantFrom('5m', '6h', '30d'), fc.jsonValue()),
      incrementalField: fc.oneof(fc.constantFrom('updated_at', 'created_at'), fc.jsonValue()),
      fullReadEvery: fc.oneof(fc.constantFrom('24h', 'never'), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const file = fc.record(
    {
      version: fc.oneof(fc.constant(1), fc.jsonValue()),
      connection: fc.oneof(fc.constant('prod'), fc.string()),
      apiKey: fc.oneof(fc.constant({ env: 'KEY' }), fc.constant({ file: 'key' }), fc.jsonValue()),
      baseUrl: fc.oneof(fc.constant('http://127.0.0.1:1'), fc.webUrl(), fc.jsonValue()),
      destination: fc.oneof(fc.constant('warehouse'), fc.jsonValue()),
      tables: fc.oneof(
        fc.dictionary(fc.constantFrom('incidents', 'users', 'alerts', '__proto__', 'constructor'), entry),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  );

  it('is settings that read back the same, or refused in words', () => {
    fc.assert(
      fc.property(fc.oneof(file, fc.jsonValue()), (value) => {
        let settings;
        try {
          settings = settingsOf(value, '/settings/incident-io.json');
        } catch (error) {
          if (error instanceof UsageError) return !error.message.includes('[object');
          throw error;
        }
        expect(settingsOf(settings, '/elsewhere/file.json')).toEqual(settings);
        return Object.values(settings.tables).every(
          ({ syncMethod, incrementalField, fullReadEvery }) =>
            (syncMethod === 'incremental') ===
            (incrementalField !== undefined && fullReadEvery !== undefined),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('written settings', () => {
  it('read back the same, move with their folder, and replace nothing unasked', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'incident-io.json');
    const settings = parsed(good, file);
    await writeSettings(file, settings, { replace: false });
    expect(await readSettings(file)).toEqual(settings);
    await expect(writeSettings(file, settings, { replace: false })).rejects.toThrow('is there already');
    await writeSettings(file, { ...settings, connection: 'other' }, { replace: true });
    expect((await readSettings(file)).connection).toBe('other');
    expect(await readdir(folder)).toEqual(['incident-io.json']);

    const moved = join(folder, 'moved');
    await mkdir(moved);
    await writeFile(join(moved, 'incident-io.json'), await readFile(file));
    expect((await readSettings(join(moved, 'incident-io.json'))).destination).toBe(join(moved, 'warehouse'));
  });
});

it('keeps incident-io.schema.json in step with the settings', async () => {
  const text = await readFile(new URL('../../../incident-io.schema.json', import.meta.url), 'utf8');
  expect(text === `${JSON.stringify(settingsJsonSchema(), undefined, 2)}\n`, 'stale: npm run docs').toBe(
    true,
  );
});
