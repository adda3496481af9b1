import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tableNamed } from '../../src/tables/index.ts';
import type { Table } from '../../src/tables/table.ts';
import { platformWorld, type PlatformWorld, asDeltaRs } from '../helpers/platform.ts';
import { change, expectAccount, names } from './helpers/account.ts';
import { programsOf } from './helpers/environments.ts';
import { type Postgres, startPostgres } from './helpers/postgres.ts';
import { executable, succeeded } from './helpers/programs.ts';

type Row = { readonly [column: string]: unknown };

/** One run of the tap into a target, from the state of the last one. */
async function run(world: PlatformWorld, tap: string, target: string, targetConfig: object): Promise<void> {
  const config = await world.file('config.json', world.config);
  const catalog = await world.file('catalog.json', {
    streams: names.map((name) => ({
      tap_stream_id: name,
      metadata: [{ breadcrumb: [], metadata: { selected: true } }],
    })),
  });
  const state = join(world.folder, 'state.json');
  const known = await readFile(state, 'utf8').then(
    () => ['--state', state],
    () => [],
  );
  const { out } = await succeeded(tap, ['--config', config, '--catalog', catalog, ...known]);
  const settings = await world.file('target.json', targetConfig);
  const { out: states } = await succeeded(target, ['--config', settings], { input: out, cwd: world.folder });
  await world.file('state.json', JSON.parse(states.trim().split('\n').at(-1)!));
}

/** Rows of a table in PostgreSQL, in the form in which delta-rs reads them. */
async function rowsIn(postgres: Postgres, schema: string, table: Table): Promise<Row[]> {
  const facts = await postgres.json(
    `SELECT json_build_object('name', column_name, 'type', data_type) FROM information_schema.columns WHERE table_schema = '${schema}' AND table_name = '${table.name}'`,
  );
  const types = new Map(facts.map(({ name, type }) => [String(name), String(type)]));
  const cells = [...Object.keys(table.columns), '_sdc_deleted_at'].map((name) => {
    const value = `"${name}"`;
    const type = types.get(name);
    if (type?.startsWith('timestamp') === true)
      return `'${name}', to_char(${value}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
    // One target stores the null of an object as that of JSON.
    if (table.columns[name]?.type === 'json') return `'${name}', nullif(to_json(${value})::text, 'null')`;
    return table.columns[name]?.type === 'bigint'
      ? `'${name}', ${value}::bigint::text`
      : `'${name}', ${value}`;
  });
  return postgres.json(`SELECT json_build_object(${cells.join(', ')}) FROM "${schema}"."${table.name}"`);
}

/** It writes rows as CSV that it escapes as JSON. */
const byPipelinewise = (text: string) => (text === '' ? null : text.replaceAll('\n', '\\n'));

const targets = [
  // Its way to delete is ACTIVATE_VERSION, so the tap has to print whole tables.
  { environment: 'target-postgres-sdk', hardDelete: true, deletes: 'snapshot', deleted: 'gone' },
  { environment: 'target-postgres-sdk', hardDelete: false, deletes: 'snapshot', deleted: 'marked' },
  { environment: 'target-postgres-sdk', hardDelete: true, deletes: 'tombstones', deleted: 'marked' },
  { environment: 'target-postgres-pipelinewise', hardDelete: true, deletes: 'tombstones', deleted: 'gone' },
  {
    environment: 'target-postgres-pipelinewise',
    hardDelete: false,
    deletes: 'tombstones',
    deleted: 'marked',
  },
] as const;

describe.each(targets)(
  '$environment, hard_delete $hardDelete, $deletes',
  ({ environment, hardDelete, deletes, deleted }) => {
    // Fails if a target refuses a record, loses or duplicates a row, changes a value, or keeps a deleted row.
    it(`holds the account after a second run, and deleted rows are ${deleted}`, async () => {
      const world = await platformWorld(true);
      const stored = environment === 'target-postgres-pipelinewise' ? byPipelinewise : undefined;
      const deleting = { ...world, config: { ...world.config, singer_deletes: deletes } };
      const [bin, postgres] = await Promise.all([programsOf(environment), startPostgres()]);
      const tap = await executable(world.folder, 'tap-incident-io');
      const { port, user } = postgres;
      const access = {
        host: '127.0.0.1',
        port,
        user,
        password: 'none',
        database: 'postgres',
        dbname: 'postgres',
      };
      const settings = {
        ...access,
        default_target_schema: 'incidents',
        hard_delete: hardDelete,
        add_metadata_columns: true,
      };
      const target = join(bin, 'target-postgres');
      await run(deleting, tap, target, settings);
      for (const name of names)
        expectAccount(world.sandbox, name, await rowsIn(postgres, 'incidents', tableNamed(name)), stored);

      const ids = change(world.sandbox);
      await run(deleting, tap, target, settings);
      const marked: string[] = [];
      for (const name of names) {
        const rows = await rowsIn(postgres, 'incidents', tableNamed(name));
        const isLiving = (row: Row) => row['_sdc_deleted_at'] === null;
        expectAccount(world.sandbox, name, rows.filter(isLiving), stored);
        marked.push(...rows.filter((row) => !isLiving(row)).map(({ id }) => String(id)));
      }
      expect(marked.sort()).toEqual(deleted === 'gone' ? [] : ids.sort());
    });
  },
);

// Fails if a line on standard output is not a message, or if the last line per id is not what the account has.
it('target-jsonl holds the account in the last line of each id', async () => {
  const world = await platformWorld(true);
  const tap = await executable(world.folder, 'tap-incident-io');
  const target = join(await programsOf('target-jsonl'), 'target-jsonl');
  const settings = { destination_path: world.folder, do_timestamp_file: false };
  await run(world, tap, target, settings);
  change(world.sandbox);
  await run(world, tap, target, settings);
  for (const name of names) {
    const last = new Map<unknown, Row>();
    const files = (await readdir(world.folder)).filter(
      (file) => file.startsWith(name) && file.endsWith('.jsonl'),
    );
    for (const file of files.sort()) {
      for (const line of (await readFile(join(world.folder, file), 'utf8')).split('\n')) {
        if (line !== '') last.set((JSON.parse(line) as Row)['id'], JSON.parse(line) as Row);
      }
    }
    const living = [...last.values()].filter((row) => row['_sdc_deleted_at'] === null);
    expectAccount(
      world.sandbox,
      name,
      living.map((row) => asDeltaRs(name, row)),
    );
  }
});
