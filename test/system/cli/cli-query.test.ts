import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, type CliOptions } from '../../helpers/cli.ts';

/** A destination whose Delta tables are written by hand from the protocol's text, not by the code under test. */
let warehouse: string;
let folder: string;
let writer: DuckDBConnection;

type Fields = { readonly [name: string]: string };

async function commit(table: string, version: number, ...actions: object[]): Promise<void> {
  const log = join(warehouse, table, '_delta_log');
  await mkdir(log, { recursive: true });
  const lines = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
  await writeFile(join(log, `${String(version).padStart(20, '0')}.json`), lines);
}

function metaData(fields: Fields): object {
  const schema = {
    type: 'struct',
    fields: Object.entries(fields).map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
  };
  const schemaString = JSON.stringify(schema);
  const format = { provider: 'parquet', options: {} };
  return { metaData: { id: 'id', format, schemaString, partitionColumns: [], configuration: {} } };
}

/** The paths in a log are URL-encoded. */
async function add(table: string, file: string, select: string): Promise<object> {
  const target = join(warehouse, table, file).replaceAll("'", "''");
  await writer.run(`COPY (${select}) TO '${target}' (FORMAT parquet)`);
  const path = encodeURIComponent(file);
  return { add: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange: true } };
}

const protocol = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-query-'));
  // A quote in the path must not end a string in SQL.
  warehouse = join(folder, "o'clock");
  writer = await (await DuckDBInstance.create(':memory:')).connect();
  await writer.run(`SET TimeZone = 'UTC'`);
  await mkdir(join(warehouse, 'incidents'), { recursive: true });
  const first = { id: 'string', rank: 'long', created_at: 'timestamp' };
  await commit(
    'incidents',
    0,
    protocol,
    metaData(first),
    await add(
      'incidents',
      'old.parquet',
      `SELECT 'gone' AS id, 0::BIGINT AS rank, TIMESTAMPTZ '2020-01-01' AS created_at`,
    ),
    await add(
      'incidents',
      'kept.parquet',
      `SELECT 'a' AS id, 9007199254740993 AS rank, TIMESTAMPTZ '2026-01-02 03:04:05.678901+00' AS created_at`,
    ),
  );
  await commit(
    'incidents',
    1,
    metaData({ ...first, note: 'string' }),
    { remove: { path: 'old.parquet', dataChange: true } },
    await add(
      'incidents',
      'new file.parquet',
      `SELECT 'b' AS id, 7::BIGINT AS rank, TIMESTAMPTZ '2026-01-03' AS created_at, E'two\\nlines' AS note`,
    ),
  );
  await commit('alerts', 0, protocol, metaData({ id: 'string', resolved_at: 'timestamp' }));
  await mkdir(join(warehouse, '_staging', 'incidents'), { recursive: true });
});
afterAll(async () => {
  writer.closeSync();
  await rm(folder, { recursive: true, force: true });
});

const query = (sql: string, ...more: string[]) => cli(['query', sql, '--from', warehouse, ...more]);
const rowsOf = async (sql: string) => {
  const { code, out, err } = await query(sql, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as unknown;
};

describe('the current version', () => {
  it('has only the live files, every column of the schema, and no value changed by JSON', async () => {
    expect(await rowsOf('FROM incidents ORDER BY id')).toEqual([
      { id: 'a', rank: '9007199254740993', created_at: '2026-01-02T03:04:05.678901Z', note: null },
      { id: 'b', rank: 7, created_at: '2026-01-03T00:00:00Z', note: 'two\nlines' },
    ]);
  });

  it('of a table without files is empty but has its columns', async () => {
    expect(await rowsOf('FROM alerts')).toEqual([]);
    expect(await rowsOf(`SELECT column_name, column_type FROM (DESCRIBE alerts)`)).toEqual([
      { column_name: 'id', column_type: 'VARCHAR' },
      { column_name: 'resolved_at', column_type: 'TIMESTAMP WITH TIME ZONE' },
    ]);
    expect(await rowsOf('SHOW TABLES')).toEqual([{ name: 'alerts' }, { name: 'incidents' }]);
  });
});

it('prints nested, unusual and duplicate values as JSON without changing them', async () => {
  expect(
    await rowsOf(`SELECT 1 AS x, 2 AS x, [1, NULL] AS list, {'a': DATE '2026-01-01'} AS struct,
      MAP {'k': 1} AS map, 'NaN'::DOUBLE AS nan, 1.5 AS short, 12345678901234567890.12 AS long,
      (-9007199254740993)::HUGEINT AS huge, TIMESTAMP '1969-12-31 23:59:59.5' AS local,
      'infinity'::TIMESTAMPTZ AS never, '\\xAA'::BLOB AS blob, true AS yes`),
  ).toEqual([
    {
      x: 1,
      x_1: 2,
      list: [1, null],
      struct: { a: '2026-01-01' },
      map: [{ key: 'k', value: 1 }],
      nan: 'NaN',
      short: 1.5,
      long: '12345678901234567890.12',
      huge: '-9007199254740993',
      local: '1969-12-31T23:59:59.500',
      never: 'infinity',
      blob: '\\xAA',
      yes: true,
    },
  ]);
});

it('prints one line per row, in columns', async () => {
  const sql = 'SELECT id, note, rank FROM incidents ORDER BY id';
  const { code, out } = await cli(['query', sql, '--from', warehouse], { columns: 80 });
  expect(code).toBe(0);
  const [head, , ...rows] = stripVTControlCharacters(out)
    .split('\n')
    .map((line) => line.trimEnd());
  expect([head, ...rows]).toEqual([
    'id  note                    rank',
    'a               9007199254740993',
    'b   two\\nlines                 7',
    '',
  ]);
});

it('prints tab-separated rows if it is piped, and CSV if asked to', async () => {
  const sql = 'SELECT id, note, rank FROM incidents ORDER BY id';
  expect((await query(sql)).out).toBe('id\tnote\trank\na\t\\N\t9007199254740993\nb\ttwo\\nlines\t7\n');
  expect((await query(sql, '--csv')).out).toBe('id,note,rank\na,,9007199254740993\nb,"two\nlines",7\n');
});

it('prints the first thousand rows on a terminal and says so; anything else gets all of them', async () => {
  const many = 'SELECT range AS n FROM range(5000)';
  const { out, err } = await cli(['query', many, '--from', warehouse], { columns: 80 });
  // Below the heads is a rule.
  expect(out.trim().split('\n')).toHaveLength(1002);
  expect(err).toMatch(/^note: .*1,000.*--json/);
  expect((await query(many)).out.trim().split('\n')).toHaveLength(5001);
  expect(await rowsOf(many)).toHaveLength(5000);
});

it('fits the width of the terminal and says how many columns are left out', async () => {
  const options: CliOptions = { columns: 40 };
  const list = Array.from({ length: 9 }, (_, i) => `${i} AS c${i}`).join(', ');
  const { code, out, err } = await cli(['query', `SELECT ${list}`, '--from', warehouse], options);
  expect(code).toBe(0);
  expect(out).toContain('c3');
  expect(out).not.toContain('c4');
  expect(err).toMatch(/^note: 5 columns .*--json/);
});

it('describes tables and queries', async () => {
  expect(await rowsOf('SUMMARIZE incidents;')).toHaveLength(4);
  expect(await rowsOf('/* columns */\nDESCRIBE SELECT id FROM incidents; -- of one')).toHaveLength(1);
});

it('reads the SQL from standard input', async () => {
  const { out } = await cli(['query', '-', '--from', warehouse, '--json'], {
    stdin: '-- how many?\nSELECT count(*) AS n\nFROM incidents;\n',
  });
  expect(JSON.parse(out)).toEqual([{ n: 2 }]);
});

describe('SQL that cannot be run exits with 1, one sentence and one piece of advice', () => {
  it.each([
    ['SELEC 1', /^error: .*syntax error at or near "SELEC" \(line 1\)$/],
    ['SELECT nam\nFROM incidents', /^error: .*Referenced column "nam" not found/],
    ['FROM incident', /^error: .*"incident" in \S+\.$/],
    [`SELECT 'x'::INTEGER`, /^error: .*Could not convert string 'x' to INT32/],
    ['SELECT 1; SELECT 2', /^error: .*\b2 statements\b/],
    ['  -- nothing\n /* at all */ ', /^error: .*\bno statement\b/],
    ['SELECT $1', /^error: .*Unexpected prepared parameter/],
    ['COPY incidents TO $file', /^error: .*syntax error/],
  ])('%j', async (sql, message) => {
    const { code, out, err } = await query(sql);
    const [first, second, ...more] = err.split('\n');
    expect({ code, out, more }).toEqual({ code: 1, out: '', more: [''] });
    expect(first).toMatch(message);
    expect(second).toMatch(/^ {2}→ ./);
    const json = await query(sql, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ error: 'QueryError' });
  });

  it('names the nearest table, and all tables', async () => {
    expect((await query('FROM incident')).err).toMatch(/ incidents\?.* alerts, incidents\./);
  });
});

describe('the SQL can write nothing and read nothing but the tables', () => {
  it.each([
    'COPY incidents TO $file',
    'COPY (SELECT 1) TO $file (FORMAT parquet)',
    'EXPLAIN ANALYZE COPY (SELECT 1) TO $file (FORMAT parquet)',
    'ATTACH $file AS other',
    'EXPORT DATABASE $file',
    'CREATE TABLE stolen AS FROM incidents',
    'SET enable_external_access = true',
    'INSTALL httpfs',
    'SHOW TABLES); COPY (SELECT 1) TO $file; FROM (SHOW TABLES',
    'SELECT 1; COPY (SELECT 1) TO $file',
    `FROM query('COPY (SELECT 1) TO ''x''')`,
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM glob('/etc/*')`,
    `SELECT * FROM 'https://127.0.0.1:1/x.parquet'`,
  ])('%s', async (sql) => {
    const before = await readdir(join(warehouse, 'incidents'));
    const file = join(warehouse, 'incidents', 'written');
    const literal = `'${file.replaceAll("'", "''")}'`;
    const { code, out, err } = await query(sql.replace('$file', literal));
    expect(out).toBe('');
    expect(err).toMatch(/^error: (?!unexpected)/);
    expect(code).toBe(1);
    expect(existsSync(file)).toBe(false);
    expect(await readdir(join(warehouse, 'incidents'))).toEqual(before);
  });
});

describe('a table of another writer that this reader does not support', () => {
  const odd = async (name: string, ...actions: object[]) => {
    await commit(name, 0, ...actions);
    return () => rm(join(warehouse, name), { recursive: true });
  };

  it.each<[string, object[], string]>([
    [
      'needs a newer reader',
      [{ protocol: { minReaderVersion: 3, minWriterVersion: 7 } }],
      'reader version 3',
    ],
    ['is partitioned', [], 'partitioned'],
    ['holds nested types', [], 'has the type'],
    ['has a broken log', [{ nothing: true }], 'no protocol'],
  ])('because it %s is refused, and does not stop queries of other tables', async (why, own, problem) => {
    const base = (metaData({ id: 'string' }) as { metaData: { schemaString: string } }).metaData;
    const struct = JSON.stringify({ type: 'struct', fields: [] });
    const made = {
      ...base,
      ...(why === 'is partitioned' && { partitionColumns: ['id'] }),
      ...(why === 'holds nested types' && {
        schemaString: base.schemaString.replace('"type":"string"', `"type":${struct}`),
      }),
    };
    const actions = why === 'has a broken log' ? own : [protocol, ...own, { metaData: made }];
    const remove = await odd('foreign', ...actions);
    try {
      expect(await rowsOf('SELECT count(*) AS n FROM incidents')).toEqual([{ n: 2 }]);
      const { code, err } = await query('SELECT * FROM "foreign"');
      expect(err).toContain(problem);
      expect(code).toBe(1);
    } finally {
      await remove();
    }
  });
});

describe('a destination without tables is named in the error', () => {
  it.each(['nowhere', '_staging'])('%s', async (name) => {
    const { code, out } = await cli(['query', 'SELECT 1', '--from', join(warehouse, name), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      error: 'DestinationError',
      message: expect.stringContaining(join(warehouse, name)) as string,
    });
  });
});

it('prints only the error if a query fails after many rows', async () => {
  const sql = `SELECT CASE WHEN range = 500000 THEN error('boom')::BIGINT ELSE range END AS n FROM range(1000000)`;
  const { code, out } = await query(sql, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    error: 'QueryError',
    message: expect.stringContaining('boom') as string,
  });
});

it('stops a long query when it is interrupted', async () => {
  const interrupt = new AbortController();
  const running = cli(['query', 'SELECT range AS n FROM range(3000000)', '--from', warehouse, '--json'], {
    signal: interrupt.signal,
    onOutput: () => interrupt.abort(),
  });
  expect(await running).toMatchObject({ code: 130, err: 'Interrupted.\n' });
});
