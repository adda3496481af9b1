import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { TemporalUnavailableError } from '../../errors.ts';
import { isAlive } from './process.ts';

const processIdentity = z.object({ pid: z.int(), startedAt: z.string() });

const runningServer = processIdentity.extend({
  port: z.int(),
  /** Null if the port for the web UI was taken. */
  uiPort: z.int().nullable(),
  binary: z.string(),
});

const serverRecord = z.object({
  /** Kept when the server stops, so that addresses people have noted stay valid. */
  port: z.int().nullable(),
  server: runningServer.nullable(),
  /** One entry per use; a process may have several. */
  users: z.array(processIdentity.extend({ use: z.string() })),
});

export type RunningServer = z.infer<typeof runningServer>;
export type ServerRecord = z.infer<typeof serverRecord>;
export type ServerUser = ServerRecord['users'][number];

export type HeldRecord = {
  readonly record: ServerRecord;
  /** Throws `TemporalUnavailableError`, and writes nothing, if the lock was lost meanwhile: the machine slept. */
  readonly save: (record: ServerRecord) => Promise<void>;
};

/** The lock's owner renews it every 2 s. If the owner is killed, others wait for this long. */
const staleAfterMs = 10_000;
/** Longer than the owner may take to start or stop a server. */
const waitLimitMs = 90_000;

/**
 * Runs `act` while no other process reads or writes the record of this folder.
 *
 * Throws `TemporalUnavailableError` if another process holds the lock for too long, or the file is not a record.
 */
export async function withRecord<T>(stateDir: string, act: (held: HeldRecord) => Promise<T>): Promise<T> {
  const file = recordFile(stateDir);
  let lost = false;
  const unlock = await acquire(stateDir, () => {
    lost = true;
  });
  try {
    return await act({
      record: await readRecord(stateDir),
      save: async (record) => {
        if (lost) throw new TemporalUnavailableError(`The lock on ${file} was lost.`, 'Try again.');
        // Renamed into place: if the process is killed while it writes, the old record stays.
        await writeFile(`${file}.new`, JSON.stringify(record, null, 2), { mode: 0o600 });
        await rename(`${file}.new`, file);
      },
    });
  } finally {
    if (!lost) await unlock();
  }
}

async function acquire(stateDir: string, onCompromised: () => void): Promise<() => Promise<void>> {
  const lockfilePath = join(stateDir, 'temporal-server.lock');
  const giveUpAt = Date.now() + waitLimitMs;
  for (;;) {
    try {
      return await lock(stateDir, { lockfilePath, stale: staleAfterMs, update: 2_000, onCompromised });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
      if (Date.now() > giveUpAt) {
        throw new TemporalUnavailableError(
          `Another process has been starting or stopping the Temporal server in ${stateDir} for too long.`,
          'Wait for it or end it, then try again.',
          { cause: error },
        );
      }
    }
    // Waits of unequal length: two processes that wait for a stale lock rarely take it at the same moment.
    await sleep(20 + Math.random() * 80);
  }
}

function recordFile(stateDir: string): string {
  return join(stateDir, 'temporal-server.json');
}

/** The record as it is now. Anyone who acts on it reads it again under the lock. */
export async function readRecord(stateDir: string): Promise<ServerRecord> {
  const file = recordFile(stateDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { port: null, server: null, users: [] };
    }
    throw error;
  }
  try {
    return serverRecord.parse(JSON.parse(text));
  } catch (error) {
    throw new TemporalUnavailableError(
      `${file} is not a record of a Temporal server.`,
      'Delete it once no Temporal server uses the database next to it.',
      { cause: error },
    );
  }
}

/** Those users whose processes are alive. */
export async function living(users: readonly ServerUser[]): Promise<ServerUser[]> {
  const alive = await Promise.all(users.map(isAlive));
  return users.filter((_, index) => alive[index]);
}
