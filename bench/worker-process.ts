import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../src/settings/settings.ts';

export type WorkerProcess = {
  readonly pid: number;
  readonly stop: () => void;
  readonly ended: Promise<unknown>;
};

/** Writes the settings files of connections into a folder. */
export async function writeSettingsFiles(folder: string, all: readonly Settings[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const settings of all) {
    await writeFile(join(folder, `${settings.connection}.json`), JSON.stringify(settings));
  }
}

/** Starts `worker` with these arguments in a process of its own; resolves once it serves. */
export async function startWorker(args: readonly string[], env: NodeJS.ProcessEnv): Promise<WorkerProcess> {
  const main = fileURLToPath(new URL(`../src/cli/main${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [main, 'worker', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  await saysStarted(child, ended);
  return { pid: child.pid!, ended, stop: () => void child.kill('SIGTERM') };
}

/** Resolves once the worker is ready. If it ends before that, rejects with what it printed. */
async function saysStarted({ stderr }: ChildProcess, ended: Promise<unknown>): Promise<void> {
  let said = '';
  stderr!.on('data', (text: Buffer) => {
    if (!said.includes('worker started')) said += text.toString();
  });
  while (!said.includes('worker started')) {
    const over = await Promise.race([ended.then(() => true), once(stderr!, 'data').then(() => false)]);
    if (over) throw new Error(`A worker ended: ${said}`);
  }
}
