import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { parseSettings, readSettings, readSettingsFile } from '../../../src/settings/file.ts';
import { settingsJsonSchema, settingsOf } from '../../../src/settings/schema.ts';
import { writeSettings, writeUpgrade } from '../../../src/settings/write.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const good = {
  version: 2,
  connection: 'prod',
  apiKey: { env: 'INCIDENT_IO_API_KEY' },
  destination: './warehouse',
  tables: { incidents: {}, users: {} },
};

const parsed = (value: unknown, file = '/settings/incident-io.json') => settingsOf(value, file);

/** The message with which these settings are refused. */
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
  it('say where the signing secret and the address for messages are, never what they are', () => {
    const webhooks = { secret: { file: './hooks.secret' } };
    const notify = { url: { env: 'NOTIFY_URL' } };
    expect(parsed({ ...good, webhooks, notify })).toMatchObject({
      webhooks: { secret: { file: '/settings/hooks.secret' } },
      notify,
    });
    expect(parsed(good)).not.toHaveProperty('webhooks');
    expect(parsed(good)).not.toHaveProperty('notify');
    const secret = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==';
    const url = 'https://hooks.slack.com/services/T000/B000/XXXX';
    const refused = refusal({ ...good, webhooks: { secret }, notify: { url, channel: '#data' } });
    for (const path of ['webhooks.secret', 'notify.url', 'notify.channel']) expect(refused).toContain(path);
    expect(refused).not.toContain(secret);
    expect(refused).not.toContain('hooks.slack.com');
  });

  it('get the defaults of each table, and paths relative to the file become absolute', () => {
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

  it('are read from a file of version 1, which has other names', () => {
    const names = { sync: 'incremental', fullRefreshEvery: 'never' };
    const old = parsed({ ...good, version: 1, tables: { incidents: names } });
    const now = { syncMethod: 'incremental', fullReadEvery: 'never' };
    expect(old).toEqual(parsed({ ...good, tables: { incidents: now } }));
    expect(old).toMatchObject({ version: 2, tables: { incidents: now } });
  });

  it('are refused with all mistakes at once, each with its path, its value and what is allowed', () => {
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
    const lines = message.split('\n').slice(1);
    // For each path: the value in the file, and what is allowed.
    const expected: [path: string, ...values: string[]][] = [
      ['conection', 'connection'],
      ['connection', '"Prod!"', '60'],
      ['destination', '7', 's3://'],
      ['tables.incidents.every', '"20m"', '5m, 15m, 30m, 1h, 6h, 12h, 24h, 7d, 30d'],
      ['tables.incidents.fullReadEvery', '"24h"', 'incremental'],
      ['tables.users.incrementalField', '"updated_at"', 'users', 'incremental'],
      ['tables.users.evry', 'every?'],
      ['tables.alerts.syncMethod', '"often"', 'incremental or full_refresh'],
      ['tables.alerts.incrementalField', '"created_at"', 'updated_at'],
      ['tables.incident', 'incidents?'],
    ];
    for (const [path, ...values] of expected) {
      const line = lines.find((line) => line.startsWith(`  - ${path} `));
      for (const value of values) expect(line).toContain(value);
    }
    expect(lines).toHaveLength(expected.length);
  });

  it('of version 1 are refused by the names that the file has', () => {
    const lines = refusal({
      ...good,
      version: 1,
      tables: {
        alerts: { sync: 'often', fullRefreshEvery: '20m', syn: 'incremental' },
        incidents: { sync: 'incremental', syncMethod: 'full_refresh' },
        users: { fullRefreshEvery: '24h' },
      },
    }).split('\n');
    for (const path of [
      'alerts.sync is "often"',
      'alerts.fullRefreshEvery is "20m"',
      'alerts.syn ',
      'incidents.sync ',
      'users.fullRefreshEvery is "24h"',
    ]) {
      expect(lines).toContainEqual(expect.stringContaining(`  - tables.${path}`));
    }
    expect(lines.find((line) => line.includes('alerts.syn '))).toContain('sync?');
    expect(lines).toHaveLength(6);
  });

  it.each([
    [{ ...good, version: 3 }, ['3', '2']],
    [{ ...good, version: undefined }, ['version', '2']],
    [{ ...good, tables: {} }, ['tables', '{}']],
    [{ ...good, tables: { incidents: { every: '10s' } } }, ['tables.incidents.every', '"10s"']],
    [{ ...good, destination: 'ftp://bucket' }, ['destination', '"ftp://bucket"']],
    [{ ...good, destination: 's3://me:secret@bucket' }, ['destination', '"s3://…@bucket"']],
    [{ ...good, destination: 's3://bucket/a?key=secret' }, ['destination', '"s3://bucket/a?…"', 'key']],
    [{ ...good, retention: '12h' }, ['retention', '"12h"', '1d, 3d, 7d, 14d, 30d']],
    [{ ...good, baseUrl: 'http://example.com' }, ['baseUrl', '"http://example.com"']],
    [[], ['The file']],
    [null, ['The file']],
  ])('are refused: %j', (value, named) => {
    const message = refusal(value);
    for (const each of named) expect(message).toContain(each);
    expect(message).not.toContain('secret');
  });

  it('may have seconds if the API is on this machine', () => {
    const tables = { incidents: { every: '10s', fullReadEvery: 'never' } };
    const settings = parsed({ ...good, baseUrl: 'http://127.0.0.1:8080', tables });
    expect(settings.tables['incidents']).toMatchObject({ every: '10s', fullReadEvery: 'never' });
  });

  it.each(['inc-SECRET-key', { env: 'inc-SECRET-key' }, { file: 'x', key: 'inc-SECRET-key' }])(
    'are refused without repeating a key that was put in the place of its reference: %j',
    (apiKey) => {
      expect(refusal({ ...good, apiKey })).not.toContain('SECRET');
    },
  );

  it('are refused if a table appears twice with different settings, or if they are not JSON', async () => {
    const twice = JSON.stringify(good, undefined, 1).replace('"users": {}', '"incidents": {"every": "1h"}');
    await expect(parseSettings(twice, 'f.json')).rejects.toThrow(UsageError);
    await expect(parseSettings(twice, 'f.json')).rejects.toThrow(/^f\.json: .*"incidents".* 10/);
    const broken = '{\n "apiKey": inc-SECRET';
    await expect(parseSettings(broken, 'f.json')).rejects.toThrow(/^f\.json: (?!.*SECRET).* 2/);
  });

  it('have to exist', async () => {
    const file = join(await temporaryFolder(), 'none.json');
    await expect(readSettings(file)).rejects.toThrow(UsageError);
    await expect(readSettings(file)).rejects.toThrow(file);
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

  it('is either refused with an explanation, or read as settings that read back the same', () => {
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
  it('read back the same, can be moved with their folder, and replace nothing unless asked to', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'incident-io.json');
    const settings = parsed(good, file);
    await writeSettings(file, settings, { replace: false });
    expect(await readSettings(file)).toEqual(settings);
    await expect(writeSettings(file, settings, { replace: false })).rejects.toThrow(UsageError);
    await writeSettings(file, { ...settings, connection: 'other' }, { replace: true });
    expect((await readSettings(file)).connection).toBe('other');
    expect(await readdir(folder)).toEqual(['incident-io.json']);

    const moved = join(folder, 'moved');
    await mkdir(moved);
    await writeFile(join(moved, 'incident-io.json'), await readFile(file));
    expect((await readSettings(join(moved, 'incident-io.json'))).destination).toBe(join(moved, 'warehouse'));
  });
});

describe('the key file in written settings', () => {
  it.each([
    ['key', { file: './key' }],
    ['../home/.config/prod.key', { file: '~/.config/prod.key' }],
    ['../elsewhere/key', { file: expect.stringMatching(/^\/.*\/elsewhere\/key$/) as string }],
  ])('%s is written as a path that others can use, if there is one', async (key, written) => {
    const folder = await temporaryFolder();
    vi.stubEnv('HOME', join(folder, 'home'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await mkdir(join(folder, 'settings'));
    const file = join(folder, 'settings', 'incident-io.json');
    const settings = parsed({ ...good, apiKey: { file: key } }, file);
    await writeSettings(file, settings, { replace: false });
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ apiKey: written });
    expect(await readSettings(file)).toEqual(settings);
  });
});

describe('a file of version 1', () => {
  it('keeps its values when it is rewritten, also through a symbolic link, and then needs no upgrade', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'real.json');
    const link = join(folder, 'link.json');
    const old = {
      ...good,
      version: 1,
      tables: { incidents: { sync: 'incremental', every: '5m', fullRefreshEvery: '7d' }, users: {} },
    };
    await writeFile(file, JSON.stringify(old), { mode: 0o600 });
    await symlink(file, link);
    const { settings, upgrade } = await readSettingsFile(link);
    expect([...upgrade!.renamed]).toEqual([
      ['tables.incidents.syncMethod', 'tables.incidents.sync'],
      ['tables.incidents.fullReadEvery', 'tables.incidents.fullRefreshEvery'],
    ]);
    await writeUpgrade(link, upgrade!);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      ...good,
      tables: { incidents: { syncMethod: 'incremental', every: '5m', fullReadEvery: '7d' }, users: {} },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readSettingsFile(link)).toEqual({ settings });
    expect(await readdir(folder)).toEqual(['link.json', 'real.json']);
  });
});

it('keeps incident-io.schema.json in step with the settings', async () => {
  const text = await readFile(new URL('../../../incident-io.schema.json', import.meta.url), 'utf8');
  expect(text === `${JSON.stringify(settingsJsonSchema(), undefined, 2)}\n`, 'stale: npm run docs').toBe(
    true,
  );
});
