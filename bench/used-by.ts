import { readdir, readFile } from 'node:fs/promises';

/** What a process has used so far, as Linux counts it: CPU time, bytes of memory now, and at the peak. */
export type Used = { readonly cpuSeconds: number; readonly bytes: number; readonly peakBytes: number };

export async function usedBy(pid: number): Promise<Used> {
  const [stat, status] = await Promise.all(
    ['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  const fields = fieldsOf(stat!);
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status!)![1]);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    bytes: kib('VmRSS') * 1_024,
    peakBytes: kib('VmHWM') * 1_024,
  };
}

/** CPU time of the children of this process that have ended, in seconds. */
export async function usedByEnded(): Promise<number> {
  return secondsOfEnded(fieldsOf(await readFile('/proc/self/stat', 'utf8')));
}

/** The same for a process and its children; its CPU time includes children that have ended. */
export async function usedByFamily(pid: number): Promise<Used> {
  const others = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  // A process may have ended since it was listed.
  const stats = await Promise.all(
    others.map((other) => readFile(`/proc/${other}/stat`, 'utf8').catch(() => '')),
  );
  const children = others.filter((_, index) => Number(fieldsOf(stats[index]!)[1]) === pid);
  const used = await Promise.all([pid, ...children].map(usedBy));
  const ended = secondsOfEnded(fieldsOf(await readFile(`/proc/${pid}/stat`, 'utf8')));
  const total = (of: (used: Used) => number) => used.reduce((sum, one) => sum + of(one), 0);
  return {
    cpuSeconds: total(({ cpuSeconds }) => cpuSeconds) + ended,
    bytes: total(({ bytes }) => bytes),
    peakBytes: total(({ peakBytes }) => peakBytes),
  };
}

function secondsOfEnded(fields: readonly string[]): number {
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The fields after the process name, which comes before the last bracket and may contain spaces. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
