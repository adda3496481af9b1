import { describe, expect, it, vi } from 'vitest';

import { desiredSchedules } from '../../../src/connections/schedule/schedule-options.ts';
import { differencesBetween } from '../../../src/connections/schedule/schedule-differences.ts';
import { KeyMissingError, UsageError } from '../../../src/errors.ts';
import { createIncidentIoSource } from '../../../src/plugin/source.ts';
import { resolveHashKey } from '../../../src/settings/hash-key.ts';
import { settingsOf } from '../../../src/settings/schema.ts';

const good = {
  version: 2,
  connection: 'prod',
  apiKey: { env: 'INCIDENT_IO_API_KEY' },
  destination: '/warehouse',
  tables: { incidents: {} },
};

const parsed = (value: object) => settingsOf({ ...good, ...value }, '/settings/incident-io.json');

/** The lines with which these settings are refused. */
function refusal(value: object): string {
  let message = '';
  expect(() => {
    try {
      parsed(value);
    } catch (error) {
      message = (error as Error).message;
      throw error;
    }
  }).toThrow(UsageError);
  return message;
}

/** How the settings change the input of the runs of incidents. */
function runOf(value: object) {
  const [{ options }] = desiredSchedules(parsed(value), 'unknown') as [
    ReturnType<typeof desiredSchedules>[number],
  ];
  return { options, run: (options.action.args as [{ run: object }])[0].run };
}

describe('the choice of what lands', () => {
  it('is everything by default, and leaves the input of a run unchanged', () => {
    const { run } = runOf({});
    expect(run).not.toHaveProperty('columns');
    expect(run).not.toHaveProperty('withoutNested');
  });

  it('follows the settings, carried by the input of each run', () => {
    const columns = { exclude: ['summary'], land: ['images[].token'] };
    const settings = {
      personal: 'hash',
      hashKey: { file: '../keys/hash' },
      tables: { incidents: { columns, nested: false } },
    };
    expect(runOf(settings).run).toMatchObject({
      columns: { ...columns, personal: 'hash', hashKey: { file: '/keys/hash' } },
      withoutNested: true,
    });
  });

  it('shows in apply, by names that the settings have', () => {
    const tables = { incidents: { columns: { exclude: ['summary', 'call_url'] } } };
    const differences = differencesBetween(
      runOf({}).options,
      runOf({ personal: 'leave_out', tables }).options,
    );
    expect(differences).toEqual([
      { name: 'run.columns.exclude', to: 'summary, call_url' },
      { name: 'run.columns.personal', to: 'leave_out' },
    ]);
  });

  it.each([
    ['a column of the key', { incidents: { columns: { exclude: ['id'] } } }, ['exclude.0', '"id"', 'key']],
    [
      'a column that does not exist',
      { incidents: { columns: { exclude: ['sumary'] } } },
      ['"sumary"', 'tables incidents'],
    ],
    [
      'the column of a pass',
      { follow_ups: { columns: { exclude: ['incident_mode'] } } },
      ['"incident_mode"'],
    ],
    ['a field that is no path', { incidents: { columns: { land: ['a..b'] } } }, ['land.0', 'images[].token']],
    ['nested tables where there are none', { severities: { nested: false } }, ['severities.nested']],
    ['a misspelt setting', { incidents: { columns: { exlude: [] } } }, ['exclude?']],
  ])('refuses %s', (_, tables, named) => {
    const message = refusal({ tables });
    for (const value of named) expect(message).toContain(value);
  });

  it.each([
    ['hashes without a key', { personal: 'hash' }, 'hashKey'],
    ['a key without hashes', { hashKey: { env: 'HASH_KEY' } }, 'hashKey'],
    ['the key itself', { personal: 'hash', hashKey: 'a key' }, 'never the key itself'],
    ['another word', { personal: 'mask' }, 'keep, hash, leave_out'],
  ])('refuses %s', (_, value, named) => {
    expect(refusal(value)).toContain(named);
  });

  it('is checked for a platform too', () => {
    const source = createIncidentIoSource();
    const target = { apiKey: { vault: 'key' }, destination: '/warehouse' };
    const start = source.syncTable(
      { ...target, personal: 'hash', hashKey: { vault: 'hash' } },
      { table: 'incidents', columns: { exclude: ['summary'] }, nested: false },
    );
    expect(start.args[0].run).toMatchObject({
      columns: { exclude: ['summary'], personal: 'hash', hashKey: { vault: 'hash' } },
      withoutNested: true,
    });
    expect(() => source.syncTable({ ...target, personal: 'hash' }, { table: 'incidents' })).toThrow(
      UsageError,
    );
    const key = { table: 'incidents', columns: { exclude: ['id'] } };
    expect(() => source.syncTable(target, key)).toThrow(UsageError);
  });
});

it('the hash key is looked up where it is used, and has to be long', async () => {
  vi.stubEnv('HASH_KEY', 'x'.repeat(32));
  expect(await resolveHashKey({ env: 'HASH_KEY' })).toBe('x'.repeat(32));
  expect(await resolveHashKey({ vault: 'h' }, async () => 'y'.repeat(40))).toBe('y'.repeat(40));
  vi.stubEnv('HASH_KEY', 'short');
  await expect(resolveHashKey({ env: 'HASH_KEY' })).rejects.toThrow(UsageError);
  vi.stubEnv('HASH_KEY', '');
  await expect(resolveHashKey({ env: 'HASH_KEY' })).rejects.toThrow(KeyMissingError);
  vi.unstubAllEnvs();
});
