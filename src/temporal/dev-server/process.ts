import { execFile } from 'node:child_process';
import { readFile, readdir, readlink, realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One process, distinguishable from a later one that was given the same pid. */
export type ProcessIdentity = {
  readonly pid: number;
  /** When it started, in the operating system's words; only compared, never parsed. */
  readonly startedAt: string;
};

/** `undefined` if no process with the pid is alive. A process that has ended but was not reaped yet counts as dead. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await startOnLinux(pid) : await startElsewhere(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isAlive({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.startedAt === startedAt;
}

/** Ends a process gently, or by force after the limit, and returns once it is gone. */
export async function stop(server: ProcessIdentity, gentleLimitMs: number): Promise<void> {
  const forceAt = Date.now() + gentleLimitMs;
  let signal: 'SIGTERM' | 'SIGKILL' | undefined = 'SIGTERM';
  while (await isAlive(server)) {
    if (Date.now() > forceAt) signal = 'SIGKILL';
    if (signal !== undefined) send(server.pid, signal);
    signal = undefined;
    await sleep(20);
  }
}

/** The pids of the processes that have the file open, as far as this user may see them. */
export async function holdersOf(file: string): Promise<number[]> {
  const path = await realpath(file).catch(missing);
  if (path === undefined) return [];
  return process.platform === 'linux' ? holdersOnLinux(path) : holdersElsewhere(path);
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(missing);
  if (stat === undefined) return undefined;
  // proc_pid_stat(5): the name in parentheses may contain anything, even spaces. State is field 3, start time field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || ticks === undefined) return undefined;
  // Ticks count from the boot, so processes of two boots can have the same pid and start time.
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()}/${ticks}`;
}

async function startElsewhere(pid: number): Promise<string | undefined> {
  // A fixed time zone and language: otherwise one start time would read differently in another terminal.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const line = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { env }).then(
    ({ stdout }) => stdout.trim(),
    nothingFound,
  );
  return line === undefined || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim();
}

async function holdersOnLinux(path: string): Promise<number[]> {
  const holders: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(missing);
    for (const descriptor of descriptors ?? []) {
      if ((await readlink(`/proc/${pid}/fd/${descriptor}`).catch(missing)) === path) {
        holders.push(Number(pid));
        break;
      }
    }
  }
  return holders;
}

async function holdersElsewhere(path: string): Promise<number[]> {
  const pids = await run('lsof', ['-t', '--', path]).then(({ stdout }) => stdout, nothingFound);
  return (pids ?? '').split('\n').filter(Boolean).map(Number);
}

/** Processes come and go during a scan, and those of other users are not visible. */
function missing(error: unknown): undefined {
  if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(codeOf(error)))) return undefined;
  throw error;
}

/** `ps` and `lsof` exit with 1 if they find nothing. */
function nothingFound(error: unknown): undefined {
  if (codeOf(error) === 1) return undefined;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
