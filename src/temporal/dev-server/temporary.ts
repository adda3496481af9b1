import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliOptions } from './cli-binary.ts';
import { living, stopServer, useDevServer } from './dev-server.ts';
import type { DevServer } from './dev-server.ts';
import { readRecord, withRecord } from './record.ts';

const prefix = 'incident-io-source-temporal-';

/** An embedded server on a database of its own, which is deleted when it is released. */
export async function useTemporaryDevServer(options: CliOptions): Promise<DevServer> {
  await sweep();
  const stateDir = await mkdtemp(join(tmpdir(), prefix));
  try {
    const server = await useDevServer({ ...options, stateDir });
    let released: Promise<void> | undefined;
    return { ...server, release: () => (released ??= server.release().then(() => remove(stateDir))) };
  } catch (error) {
    await remove(stateDir);
    throw error;
  }
}

/** Ends the temporary servers of processes that were killed: no later process would ever use or end them. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const stateDir = join(tmpdir(), name);
    try {
      if (!(await isAbandoned(stateDir))) continue;
      await withRecord(stateDir, async ({ record, save }) => {
        if (record.server !== null) await stopServer(record.server);
        await save({ ...record, server: null });
      });
      await remove(stateDir);
    } catch (error) {
      // Swept or released by another process just now, or another person's.
      if (!(error instanceof Error && 'code' in error && ['ENOENT', 'EACCES'].includes(String(error.code)))) {
        throw error;
      }
    }
  }
}

/** Only its own process ever uses a temporary server, so one without living users stays so. */
async function isAbandoned(stateDir: string): Promise<boolean> {
  const { users } = await readRecord(stateDir);
  return users.length > 0 && (await living(users)).length === 0;
}

async function remove(stateDir: string): Promise<void> {
  await rm(stateDir, { recursive: true, force: true });
}
