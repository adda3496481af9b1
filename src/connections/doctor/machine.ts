import { readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { systemCodeOf } from '../../failure.ts';
import { ok, skipped, type Verdict, wrong } from './finding.ts';

/** A run of a large account stages about this much, and a query or a merge may spill as much again. */
const leastBytes = 2 ** 30;

/**
 * The free space where the tables, temporary files and the embedded Temporal server's state are.
 * @param folders those of them that are on this machine; they need not exist yet
 */
export async function diskVerdict(folders: readonly string[]): Promise<Verdict> {
  const places = await Promise.all(
    [...new Set([...folders, tmpdir()])].map(async (folder) => ({ folder, free: await freeBytes(folder) })),
  );
  const shown = places.map(({ folder, free }) => `${inGigabytes(free)} in ${folder}`).join(', ');
  if (places.every(({ free }) => free >= leastBytes)) return ok(`free: ${shown}`);
  return wrong(
    `less than ${inGigabytes(leastBytes)} is free: ${shown}`,
    'Free some space, or move what needs it: the destination, TMPDIR, or XDG_STATE_HOME.',
  );
}

/** For a folder that does not exist yet, those of the nearest one above it that does. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    return freeBytes(dirname(folder));
  }
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** A worker has a few dozen files open per table; systems give 1,024 or more. */
const leastFiles = 1_024;

/** How many files this process may open. */
export async function filesVerdict(): Promise<Verdict> {
  let limits: string;
  try {
    limits = await readFile('/proc/self/limits', 'utf8');
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return skipped('this system does not say how many files a process may open');
  }
  return filesVerdictOf(limits);
}

/** The same from the text of /proc/self/limits. */
export function filesVerdictOf(limits: string): Verdict {
  const limit = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited';
  if (limit === 'unlimited' || Number(limit) >= leastFiles) return ok(`this process may open ${limit} files`);
  return wrong(
    `this process may open only ${limit} files`,
    `Raise the limit to ${leastFiles} or more: ulimit -n, or LimitNOFILE in a systemd unit.`,
  );
}

const proxyVariables = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'];

/** The proxy variables that are set, of either spelling. A proxy's address may hold a password, which is not repeated. */
export function proxyVerdict(env: NodeJS.ProcessEnv): Verdict {
  const set = proxyVariables
    .flatMap((name) => [name, name.toLowerCase()])
    .filter((name) => env[name])
    .map((name) => ({ name, value: env[name]! }));
  if (set.length === 0) return ok('no proxy is set');
  const bad = set.filter(({ name, value }) => !/no_proxy/i.test(name) && hostIn(value) === undefined);
  if (bad.length > 0) {
    return wrong(
      `${bad.map(({ name }) => name).join(', ')} is not the address of a proxy`,
      'Set it to an address such as http://proxy.example:3128, or unset it.',
    );
  }
  return ok(
    set.map(({ name, value }) => `${name}: ${/no_proxy/i.test(name) ? value : hostIn(value)}`).join(', '),
  );
}

function hostIn(address: string): string | undefined {
  // Without a scheme, clients take it for http.
  const url = address.includes('://') ? address : `http://${address}`;
  return URL.canParse(url) ? new URL(url).host || undefined : undefined;
}

/** The API signs nothing with the time, but stores refuse requests of a clock that is off, and `status` compares times. */
const mostSecondsOff = 60;

/**
 * The difference between this machine's clock and the API's.
 * @param answeredAt the API's clock at its answer; times are milliseconds since the epoch
 */
export function clockVerdict(answeredAt: number | undefined, now: number): Verdict {
  if (answeredAt === undefined) return skipped('the API sent no Date header to compare with');
  // The header has whole seconds.
  const seconds = Math.trunc((now - answeredAt) / 1_000);
  const off = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the API’s`;
  if (Math.abs(seconds) <= mostSecondsOff) return ok(Math.abs(seconds) < 2 ? 'as the API’s' : off);
  return wrong(
    `this machine’s clock is ${off}`,
    'Set it by a time server (timedatectl set-ntp true on most Linux systems).',
  );
}
