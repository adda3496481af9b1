import { access, rm } from 'node:fs/promises';
import { TemporalUnavailableError } from '../../errors.ts';
import { systemCodeOf } from '../../failure.ts';
import type { OwnFolder } from './folders.ts';
import { freePort, isFree, isFreeSoon, uiPortOf } from './ports.ts';
import { holdersOf } from './process.ts';
import { type HeldRecord, living, type RunningServer, type ServerUser } from './record.ts';
import { notUp, serverFiles, spawnServer, stopServer, whenReady } from './server.ts';

/**
 * Starts a server on the folder's database, with the user on its record, and returns once it is ready.
 *
 * Throws `TemporalUnavailableError` if something else uses the database, or the server does not start.
 */
export async function start(
  { record, save }: HeldRecord,
  folder: OwnFolder,
  { env, binary }: { readonly env: NodeJS.ProcessEnv; readonly binary: string },
  user: ServerUser,
): Promise<RunningServer> {
  const { database } = serverFiles(folder.path);
  await assertUnused(database);
  const isNew = !(await exists(database));
  const port = record.port !== null && (await isFreeSoon(record.port)) ? record.port : await freePort();
  const uiPort = (await isFree(uiPortOf(port))) ? uiPortOf(port) : null;
  const server = await spawnServer(folder, env, { port, uiPort, binary });
  // Users that outlived the previous server find this one on the same port, and need it as much as this process.
  const others = await living(record.users);
  try {
    if (!server) throw new Error('it ended at once');
    // Saved before it is ready: if this process is killed now, the next one finds the server on the record.
    await save({ port, server, users: [...others, user] });
    await whenReady(server);
    return server;
  } catch (error) {
    if (server) await stopServer(server);
    // Half a schema, of a disk that was full for example, would keep every later server from starting.
    if (isNew) await removeDatabase(database);
    await save({ port, server: null, users: others });
    throw await notUp(folder, error instanceof Error ? error.message : String(error), error);
  }
}

/**
 * Refuses a database that a process has open which is not on the record. Neither SQLite nor Temporal does: a second
 * server starts on the same database without a word, and both write to it.
 */
async function assertUnused(database: string): Promise<void> {
  const holders = await holdersOf(database);
  if (holders.length === 0) return;
  throw new TemporalUnavailableError(
    `${database} is in use by process ${holders.join(', ')}, which is not on the record next to it.`,
    'End that process, or set TEMPORAL_ADDRESS if it is a Temporal server that you want to use.',
  );
}

/** With SQLite's own files next to it, which must never meet another database. */
async function removeDatabase(database: string): Promise<void> {
  for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(`${database}${suffix}`, { force: true });
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
