import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevServer, useDevServer } from './dev-server.ts';
import { inFolder } from './folders.ts';
import type { CliOptions } from './options.ts';
import { living, readRecord, withRecord } from './record.ts';
import { stopServer } from './server.ts';

const prefix = 'incident-io-source-temporal-';

/**
 * An embedded server with a database of its own, which is deleted when the server is released.
 *
 * Throws `TemporalUnavailableError` as `useDevServer` does, and if the folder for temporary files cannot be used.
 */
export async function useTemporaryDevServer(options: CliOptions): Promise<DevServer> {
  const variable = 'TMPDIR';
  const folder = { path: tmpdir(), holds: 'a temporary Temporal server', variable };
  const stateDir = await inFolder(folder, async () => {
    await sweep();
    return mkdtemp(join(tmpdir(), prefix));
  });
  try {
    const server = await useDevServer({ ...options, stateDir, variable });
    let released: Promise<void> | undefined;
    return { ...server, release: () => (released ??= server.release().then(() => remove(stateDir))) };
  } catch (error) {
    await remove(stateDir);
    throw error;
  }
}

/** Stops the temporary servers of processes that were killed: no later process would ever use or stop them. */
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
      // Another process swept or released it just now, or it belongs to another person.
      if (!(error instanceof Error && 'code' in error && ['ENOENT', 'EACCES'].includes(String(error.code)))) {
        throw error;
      }
    }
  }
}

/** Only the process that started a temporary server ever uses it, so once that is dead, the server is unused. */
async function isAbandoned(stateDir: string): Promise<boolean> {
  const { users } = await readRecord(stateDir);
  return users.length > 0 && (await living(users)).length === 0;
}

async function remove(stateDir: string): Promise<void> {
  await rm(stateDir, { recursive: true, force: true });
}
