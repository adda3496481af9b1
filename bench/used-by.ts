import { readFile } from 'node:fs/promises';

/** What a process has used so far, as Linux counts it: CPU time, bytes of memory now, and at the peak. */
export type Used = { readonly cpuSeconds: number; readonly bytes: number; readonly peakBytes: number };

export async function usedBy(pid: number): Promise<Used> {
  const [stat, status] = await Promise.all(
    ['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  // The process name comes before the last bracket and may contain spaces.
  const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status!)![1]);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    bytes: kib('VmRSS') * 1_024,
    peakBytes: kib('VmHWM') * 1_024,
  };
}
