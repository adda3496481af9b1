import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tables } from '../../src/tables/index.ts';
import { isChild } from '../../src/tables/parents.ts';
import {
  airbyte,
  airbyteRead,
  catalogOf,
  platformWorld,
  type PlatformWorld,
  asDeltaRs,
} from '../helpers/platform.ts';
import { change, expectAccount, names } from './helpers/account.ts';
import { programsOf } from './helpers/environments.ts';
import { executable, ran, succeeded } from './helpers/programs.ts';

type Row = { readonly [column: string]: unknown };
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const bin = await programsOf('airbyte');

/** A read with PyAirbyte; returns the rows of its cache by stream, in the form in which delta-rs reads them. */
async function readWithPyAirbyte(world: PlatformWorld, source: string): Promise<Map<string, Row[]>> {
  const output = join(world.folder, 'rows.jsonl');
  const config = await world.file('config.json', world.config);
  const python = (...argv: string[]) =>
    succeeded(join(bin, 'python'), [script('pyairbyte.py'), ...argv], { cwd: world.folder });
  const cache = join(world.folder, 'cache.duckdb');
  await python('read', source, config, cache, ...names);
  await python('rows', cache, output, ...names);
  const rows = new Map<string, Row[]>(names.map((name) => [name, []]));
  for (const line of (await readFile(output, 'utf8')).split('\n')) {
    if (line === '') continue;
    const { stream, row } = JSON.parse(line) as { stream: string; row: Row };
    rows.get(stream)!.push(asDeltaRs(stream, row));
  }
  return rows;
}

const isDeleted = (row: Row) => row['_ab_cdc_deleted_at'] !== null;

// Fails if PyAirbyte cannot load a table, loses or doubles a row, or changes a value that it can hold.
it('is read by PyAirbyte, again after changes, with deleted rows marked', async () => {
  const world = await platformWorld(true);
  const source = await executable(world.folder, 'source-incident-io');
  const config = await world.file('config.json', world.config);
  await succeeded(join(bin, 'pyairbyte'), ['validate', `--connector=${source}`, `--config=${config}`], {
    cwd: world.folder,
  });
  const first = await readWithPyAirbyte(world, source);
  for (const name of names) expectAccount(world.sandbox, name, first.get(name)!);

  const deleted = change(world.sandbox);
  const second = await readWithPyAirbyte(world, source);
  for (const name of names) {
    const rows = second.get(name)!;
    expectAccount(
      world.sandbox,
      name,
      rows.filter((row) => !isDeleted(row)),
    );
    for (const row of rows.filter(isDeleted)) expect(row['name']).toBeNull();
  }
  const marked = [...second.values()]
    .flat()
    .filter(isDeleted)
    .map(({ id }) => String(id));
  expect(marked.sort()).toEqual(deleted.sort());
});

// Fails if a table that the key cannot read stops PyAirbyte from loading the others.
it('is read by PyAirbyte with a key that lacks a scope', async () => {
  const world = await platformWorld(true);
  const scopes = tables.flatMap(({ scope }) =>
    scope === undefined || scope === 'users.view' ? [] : [scope],
  );
  const key = world.sandbox.addKey({ key: 'inc_few', scopes });
  const source = await executable(world.folder, 'source-incident-io');
  const config = await world.file('config.json', { ...world.config, api_key: key });
  const argv = [script('pyairbyte.py'), 'read', source, config, join(world.folder, 'cache.duckdb')];
  await succeeded(join(bin, 'python'), [...argv, 'severities', 'incidents'], { cwd: world.folder });
  const refused = await ran(join(bin, 'python'), [...argv, 'severities', 'users'], { cwd: world.folder });
  expect(refused.code).not.toBe(0);
});

// Fails if a message is not what the CDK's models accept, a record does not fit its schema, or messages are out of order.
it.each([true, false])('prints messages that the CDK accepts (with a place: %s)', async (kept) => {
  const world = await platformWorld(kept, {
    sizes: { incidents: 60, alerts: 50, escalations: 20, follow_ups: 10, users: 5 },
  });
  const discovered = await airbyte(['discover', '--config', await world.file('config.json', world.config)]);
  const catalog = discovered.messages.find(({ type }) => type === 'CATALOG')!;
  const { streams } = catalog['catalog'] as { streams: { name: string }[] };
  expect(streams).toHaveLength(tables.filter((table) => kept || !isChild(table)).length);
  const file = await world.file('catalog-message.json', catalog);
  const checked = async (text: string) =>
    (await succeeded(join(bin, 'python'), [script('messages.py'), file], { input: text })).out;
  const all = catalogOf(streams.map(({ name }) => name));
  const first = await airbyteRead(world, all);
  expect(first.code).toBe(0);
  expect(await checked(first.text)).toBe('');
  change(world.sandbox);
  const second = await airbyteRead(world, all, first.state);
  expect(await checked(second.text)).toBe('');
});
