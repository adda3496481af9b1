import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { usualTables } from '../test/helpers/usual-tables.ts';
import type { Figure } from './figures.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { smallAccount } from './small-account.ts';
import { usedByEnded } from './used-by.ts';

const times = 7;

/**
 * Processor time of commands that people wait for, next to an `up` that serves twelve tables. Each is the mean of
 * seven processes.
 * @param main the file of the program, of this build or of another
 */
export async function commandFigures(main: string): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-commands-'));
  const sandbox = await startSandboxProcess({ limits: 'off', sizes: smallAccount });
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(folder, 'state'),
    INCIDENT_IO_API_KEY: sandbox.keys[0],
    TEMPORAL_ADDRESS: undefined,
  };
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [main, ...args], { cwd: folder, env });
  const seconds = async (command: string) => {
    const before = await usedByEnded();
    for (let time = 1; time <= times; time += 1) await run(command);
    return ((await usedByEnded()) - before) / times;
  };
  const tables = usualTables.join(',');
  await run('link', '--yes', '--no-import', '--base-url', sandbox.url, '--tables', tables);
  const up = spawn(process.execPath, [main, 'up'], { cwd: folder, env, stdio: 'ignore' });
  const ended = once(up, 'close');
  try {
    await allSynced(async () => {
      await run('trigger');
      await run('status');
    });
    const figures: Figure[] = [];
    for (const command of ['--version', '--help', 'status']) {
      figures.push({ what: command, measured: `${(await seconds(command)).toFixed(2)} s of processor time` });
    }
    return figures;
  } finally {
    up.kill('SIGTERM');
    await ended;
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `trigger` fails until `up` serves, and `status` until each table has been synced. */
async function allSynced(sync: () => Promise<unknown>): Promise<void> {
  for (const giveUpAt = Date.now() + 5 * 60_000; ;) {
    try {
      await sync();
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    await sleep(2_000);
  }
}
