import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Debian puts the server's programs here. */
const programs = process.env['POSTGRES_BIN'] ?? '/usr/lib/postgresql/15/bin';

export type Postgres = {
  readonly port: number;
  readonly user: string;
  /** The rows of a query that returns one JSON text per row. */
  readonly json: (sql: string) => Promise<{ readonly [column: string]: unknown }[]>;
};

/** A PostgreSQL of the test's own. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-postgres-'));
  // The server refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const ids = isRoot ? await idsOf('postgres') : undefined;
  if (ids) await chown(folder, ids.uid, ids.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const user = 'test';
  const options = { ...ids, cwd: folder };
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', user, '--auth=trust', '-E', 'UTF8', '--no-sync'],
    options,
  );
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off`;
  const control = (...args: string[]) => run(join(programs, 'pg_ctl'), ['-D', data, '-w', ...args], options);
  await control('-o', settings, '-l', join(folder, 'log'), 'start');
  onTestFinished(async () => {
    await control('-m', 'immediate', 'stop');
    await rm(folder, { recursive: true, force: true });
  });
  return {
    port,
    user,
    async json(sql) {
      const argv = ['-h', '127.0.0.1', '-p', String(port), '-U', user, 'postgres', '-At', '-c', sql];
      const { stdout } = await run(join(programs, 'psql'), argv, { maxBuffer: 2 ** 28 });
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as { [column: string]: unknown });
    },
  };
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
