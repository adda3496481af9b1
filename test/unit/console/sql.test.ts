import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { answerSql, mostRows, sqlAsCsv } from '../../../src/console/data/sql.ts';

const { signal } = new AbortController();

/** The settings of a connection with one table without rows, as a Delta log has it. */
async function connection(): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-sql-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = join(folder, 'warehouse', 'severities', '_delta_log');
  await mkdir(log, { recursive: true });
  const fields = ['id', 'name'].map((name) => ({ name, type: 'string', nullable: true, metadata: {} }));
  const metaData = {
    id: 'severities',
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({ type: 'struct', fields }),
    partitionColumns: [],
    configuration: {},
  };
  const actions = [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData }];
  await writeFile(
    join(log, '00000000000000000000.json'),
    actions.map((action) => `${JSON.stringify(action)}\n`).join(''),
  );
  const file = join(folder, 'incident-io.json');
  const settings = { version: 2, connection: 'test', apiKey: { env: 'KEY' }, destination: './warehouse' };
  await writeFile(file, JSON.stringify({ ...settings, tables: { severities: {} } }));
  return { folder, file };
}

it('can neither write, nor read other files or the network, nor change what it may do', async () => {
  const { folder, file } = await connection();
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end('id\n1\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { readonly port: number };
  const url = `http://127.0.0.1:${port}/x.csv`;
  const written = join(folder, 'written');
  const statements = [
    `COPY severities TO '${written}'`,
    `COPY (SELECT 1) TO '${written}'`,
    `EXPORT DATABASE '${written}'`,
    `ATTACH '${written}' AS other`,
    `CREATE TABLE mine AS SELECT 1`,
    `INSERT INTO severities VALUES ('a', 'b')`,
    `DROP VIEW severities`,
    `INSTALL httpfs`,
    `LOAD httpfs`,
    `SET enable_external_access = true`,
    `SET lock_configuration = false`,
    `RESET allowed_paths`,
    `PRAGMA enable_external_access`,
    `CALL pragma_version()`,
    `SELECT 1; COPY (SELECT 1) TO '${written}'`,
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM '/etc/passwd'`,
    `SELECT * FROM read_text('/etc/passwd')`,
    `SELECT * FROM read_blob('${file}')`,
    `SELECT * FROM read_json('${file}')`,
    `SELECT * FROM read_parquet('${folder}/**/*.parquet')`,
    `SELECT * FROM glob('/etc/*')`,
    `SELECT * FROM sniff_csv('/etc/passwd')`,
    `SELECT * FROM read_csv('${url}')`,
    `SELECT * FROM '${url}'`,
    `SELECT * FROM read_parquet('s3://bucket/key')`,
    `SELECT getenv('HOME')`,
    `SELECT * FROM query('COPY (SELECT 1) TO ''${written}''')`,
    `DESCRIBE SELECT * FROM read_csv('/etc/passwd')`,
    `SUMMARIZE SELECT * FROM read_text('/etc/passwd')`,
  ];
  for (const sql of statements) {
    for (const ask of [answerSql, sqlAsCsv]) {
      const refused = await ask(file, { sql }, signal).then(
        () => 'it was run',
        (error: Error) => error.name,
      );
      expect([sql, refused]).toEqual([sql, 'QueryError']);
    }
  }
  expect(requests).toBe(0);
  expect(existsSync(written)).toBe(false);
  expect((await readdir(folder)).toSorted()).toEqual(['incident-io.json', 'warehouse']);
});

it('answers queries on the tables with as many rows as a page can show, and all of them as CSV', async () => {
  const { file } = await connection();
  expect(await answerSql(file, { sql: 'SELECT count(*) AS n FROM severities' }, signal)).toMatchObject({
    columns: [{ name: 'n', type: 'BIGINT' }],
    rows: [[0]],
    more: false,
  });
  const sql = `SELECT i, '<b>,"' AS text FROM range(5000) AS t(i)`;
  const { rows, more } = await answerSql(file, { sql }, signal);
  expect([rows.length, more]).toEqual([mostRows, true]);
  const csv = await text(await sqlAsCsv(file, { sql }, signal));
  expect(csv.split('\n').slice(0, 2)).toEqual(['i,text', '0,"<b>,"""']);
  expect(csv.trimEnd().split('\n')).toHaveLength(5_001);
});

it('keeps a query from filling the memory or the disk that syncs need', async () => {
  const { file } = await connection();
  const settings = await answerSql(
    file,
    {
      sql: `SELECT name, value FROM duckdb_settings() WHERE name IN ('threads', 'memory_limit', 'max_temp_directory_size') ORDER BY name`,
    },
    signal,
  );
  expect(settings.rows.map(([name]) => name)).toEqual(['max_temp_directory_size', 'memory_limit', 'threads']);
  expect(settings.rows.map(([, value]) => value)).toEqual([
    expect.stringMatching(/^3\.\d GiB$/),
    expect.stringMatching(/^488\.\d MiB$/),
    '2',
  ]);
});

it('refuses a version that the table no longer has, or never had', async () => {
  const { file } = await connection();
  const sql = 'FROM severities';
  expect((await answerSql(file, { sql, versions: { severities: 0 } }, signal)).rows).toEqual([]);
  await expect(answerSql(file, { sql, versions: { severities: 9 } }, signal)).rejects.toMatchObject({
    name: 'UsageError',
  });
});

it('ends a query when its client no longer waits for it', async () => {
  const { file } = await connection();
  const leave = new AbortController();
  const sql =
    'SELECT count(*) FROM range(1000000000) AS a, range(1000) AS b WHERE (a.range * b.range) % 7 = 3';
  const asked = answerSql(file, { sql }, leave.signal);
  leave.abort();
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
});
