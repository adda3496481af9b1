import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScheduleNotFoundError } from '@temporalio/client';
import { onTestFinished } from 'vitest';
import { desiredSchedules } from '../../src/connections/schedule/schedule-options.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { type Settings, settingsVersion, type TableSettings } from '../../src/settings/settings.ts';
import { scheduleId } from '../../src/temporal/names.ts';
import { type RunningCommand, startCommand } from './command.ts';
import { temporaryFolder } from './sync.ts';
import { type TestTemporal, unique } from './temporal.ts';

/** Connections whose settings are files in one folder, for workers of one pool. */
export type Fleet = {
  readonly pool: string;
  /** The folder of the settings files. */
  readonly folder: string;
  /** Makes another connection with a key of its own; its settings file is not written yet. */
  readonly connection: (changes?: Partial<Settings>) => Promise<Settings>;
  /** Writes the settings file of a connection. */
  readonly write: (settings: Settings) => Promise<string>;
  /** Creates the connection's schedules, which start no runs by themselves if they are paused. */
  readonly schedule: (settings: Settings, paused?: boolean) => Promise<void>;
  readonly startWorker: (args?: readonly string[]) => RunningCommand;
};

export async function fleetOf(
  { client, address }: TestTemporal,
  sandbox: Sandbox,
  tables: { readonly [table: string]: TableSettings },
): Promise<Fleet> {
  const root = await temporaryFolder();
  const folder = join(root, 'connections');
  await mkdir(folder);
  const pool = unique('pool');
  let made = 0;
  return {
    pool,
    folder,
    async connection(changes = {}) {
      made += 1;
      const name = `${pool}-${made}`;
      const file = join(root, `${name}.key`);
      await writeFile(file, sandbox.addKey(), { mode: 0o600 });
      const destination = join(root, name);
      return {
        version: settingsVersion,
        connection: name,
        apiKey: { file },
        baseUrl: sandbox.url,
        destination,
        pool,
        retention: '7d',
        tables,
        ...changes,
      };
    },
    async write(settings) {
      const file = join(folder, `${settings.connection}.json`);
      await writeFile(file, JSON.stringify(settings));
      return file;
    },
    async schedule(settings, paused = true) {
      for (const { table, options } of desiredSchedules(settings, 'unknown')) {
        await client.schedule.create({ ...options, state: { paused } });
        onTestFinished(async () => {
          try {
            await client.schedule.getHandle(scheduleId(settings.connection, table)).delete();
          } catch (error) {
            if (!(error instanceof ScheduleNotFoundError)) throw error;
          }
        });
      }
    },
    startWorker: (args = []) =>
      startCommand(['worker', '--settings', folder, '--pool', pool, ...args], {
        TEMPORAL_ADDRESS: address,
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_REGION: 'eu-west-1',
      }),
  };
}
