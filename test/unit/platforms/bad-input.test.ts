import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  airbyte,
  airbyteRead,
  type Called,
  catalogOf,
  errorsIn,
  platformWorld,
} from '../../helpers/platform.ts';

const statusIn = ({ messages }: Called) =>
  messages.find(({ type }) => type === 'CONNECTION_STATUS')?.['connectionStatus'] as
    { status: string; message?: string } | undefined;

/** A `check` with a config. */
async function check(change: (config: object) => object): Promise<Called> {
  const world = await platformWorld(true);
  return airbyte(['check', '--config', await world.file('config.json', change(world.config))]);
}

// Each fails if a problem that a person has to fix is reported as a crash, or not at all.
describe('check', () => {
  it('succeeds with a good config', async () => {
    const called = await check((config) => config);
    expect(called.code).toBe(0);
    expect(statusIn(called)).toEqual({ status: 'SUCCEEDED' });
  });

  it.each([
    ['a wrong key', { api_key: 'inc_wrong' }, 'API key'],
    ['no key', { api_key: '' }, 'api_key'],
    ['an unknown choice', { json: 'yaml' }, 'json'],
    ['hashes without a key', { personal: 'hash' }, 'hash_key'],
    ['a key without hashes', { hash_key: 'a'.repeat(32) }, 'hash_key'],
    ['a place that is no place', { warehouse: 'ftp://host/path' }, 'ftp'],
    ['a place that cannot be written', { warehouse: '/proc/incident-io' }, '/proc'],
    ['an address that would show the key', { base_url: 'http://example.com' }, 'example.com'],
  ])('says what is wrong with %s', async (_what, wrong, named) => {
    const called = await check((config) => ({ ...config, ...wrong }));
    expect(called.code).toBe(0);
    const status = statusIn(called);
    expect(status).toMatchObject({ status: 'FAILED' });
    expect(status!.message).toContain(named);
  });

  it('names the scopes that are missing, and fails only if nothing can be read', async () => {
    const world = await platformWorld(true);
    const key = world.sandbox.addKey({ key: 'inc_few', scopes: ['incidents.view'] });
    const called = await airbyte([
      'check',
      '--config',
      await world.file('c.json', { ...world.config, api_key: key }),
    ]);
    expect(statusIn(called)).toEqual({ status: 'SUCCEEDED' });
    expect(called.text).toContain('users.view');
    expect(called.text).not.toContain(key);
  });

  it('says nothing about the key if the API is down', async () => {
    const called = await check((config) => ({ ...config, base_url: 'http://127.0.0.1:1' }));
    expect(called.code).toBe(1);
    expect(statusIn(called)).toBeUndefined();
    expect(errorsIn(called)).toMatchObject([{ type: 'transient_error' }]);
  });
});

describe('read', () => {
  it('refuses an unknown stream, and reads the others', async () => {
    const world = await platformWorld(true);
    const called = await airbyteRead(world, catalogOf(['incidentz', 'severities']));
    expect(called.code).toBe(1);
    expect(errorsIn(called)[0]).toMatchObject({ stream: 'incidentz', type: 'config_error' });
    expect(called.records('severities').length).toBeGreaterThan(0);
  });

  it('refuses a catalog without the primary key, and gives only the columns that one selects', async () => {
    const world = await platformWorld(true);
    const select = (name: string, ...columns: string[]) => ({
      stream: {
        name,
        json_schema: { properties: Object.fromEntries(columns.map((column) => [column, {}])) },
      },
      sync_mode: 'incremental',
    });
    const streams = [select('users', 'name'), select('severities', 'id', 'rank')];
    const called = await airbyteRead(world, { streams });
    expect(errorsIn(called)[0]).toMatchObject({ stream: 'users', type: 'config_error' });
    expect(Object.keys(called.records('severities')[0]!)).toEqual(['id', 'rank']);
  });

  it.each([
    ['a file that is not there', 'missing'],
    ['a file that is not JSON', 'broken'],
    ['a catalog that is not one', 'foreign'],
  ])('refuses %s', async (_what, kind) => {
    const world = await platformWorld(true);
    const catalog = join(world.folder, kind);
    if (kind === 'broken') await writeFile(catalog, '{"api_key": "inc_secret');
    if (kind === 'foreign') await writeFile(catalog, '{"tables": []}');
    const called = await airbyte([
      'read',
      '--config',
      await world.file('c.json', world.config),
      '--catalog',
      catalog,
    ]);
    expect(called.code).toBe(1);
    expect(errorsIn(called)).toMatchObject([{ stream: undefined, type: 'config_error' }]);
    expect(called.text).not.toContain('inc_secret');
  });

  it('reports a table whose place cannot be written', async () => {
    const world = await platformWorld(true);
    await mkdir(join(world.folder, 'warehouse'));
    await writeFile(join(world.folder, 'warehouse', 'severities'), 'in the way');
    const called = await airbyteRead(world, catalogOf(['severities', 'incident_roles']));
    expect(called.code).toBe(1);
    expect(errorsIn(called)[0]).toMatchObject({ stream: 'severities' });
    expect(called.records('incident_roles').length).toBeGreaterThan(0);
  });
});

it('answers spec without a config, and marks what is secret', async () => {
  const called = await airbyte(['spec']);
  const [message] = called.messages as unknown as readonly {
    spec: { connectionSpecification: { properties: object; required: string[] } };
  }[];
  expect(called.messages).toHaveLength(1);
  expect(message!.spec.connectionSpecification).toMatchObject({
    required: ['api_key'],
    properties: {
      api_key: { airbyte_secret: true },
      s3: { properties: { secret_access_key: { airbyte_secret: true } } },
    },
  });
});
