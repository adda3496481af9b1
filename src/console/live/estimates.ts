import type { WatchedRun } from '../../connections/runs/run-in-progress.ts';
import type { LiveRun } from '../contract/sources.ts';

type Estimate = NonNullable<LiveRun['estimate']>;
type Sample = { readonly at: number; readonly done: number };

/** The speed is averaged over half a minute, since a table pauses for its turn and for the API's limits. */
const sampledMs = 30_000;
/** A shorter sample says little about the speed. */
const leastSampledMs = 3_000;

/** Estimates how far full reads are and when they will end, from the progress that the runs report. */
export class Estimates {
  readonly #samples = new Map<string, Sample[]>();

  /**
   * @param rows how many rows the table has, if that is known
   * @param now milliseconds since the epoch
   */
  of(run: WatchedRun, rows: number | undefined, now: number): Estimate | undefined {
    const counted = countedOf(run, rows);
    if (!counted) return undefined;
    const samples = this.#samples.get(run.workflowId) ?? [];
    samples.push({ at: now, done: counted.done });
    while (samples[0]!.at < now - sampledMs) samples.shift();
    this.#samples.set(run.workflowId, samples);
    const endsAt = endOf(samples, counted, now);
    return { ...counted, ...(endsAt !== undefined && { endsAt: new Date(endsAt).toISOString() }) };
  }

  /** Forgets the runs that have ended. */
  keep(open: ReadonlySet<string>): void {
    for (const id of this.#samples.keys()) if (!open.has(id)) this.#samples.delete(id);
  }
}

function countedOf(run: WatchedRun, rows: number | undefined): Omit<Estimate, 'endsAt'> | undefined {
  if (run.parents && run.parents.total > 0) {
    return { by: 'parents', done: run.parents.done, of: run.parents.total };
  }
  // An incremental run reads what changed, and how much that is cannot be known beforehand.
  if (run.fullRead !== true) return undefined;
  if (rows !== undefined && rows > 0) {
    const done = run.rows ?? 0;
    return { by: 'rows', done, of: Math.max(rows, done) };
  }
  if (!run.windows || run.windows.open + run.windows.done < 2) return undefined;
  return { by: 'windows', done: run.windows.done, of: run.windows.open + run.windows.done };
}

function endOf(samples: readonly Sample[], { by, done, of }: Omit<Estimate, 'endsAt'>, now: number) {
  const [first] = samples;
  // Windows differ in size, and open ones are split.
  if (by === 'windows' || !first || now - first.at < leastSampledMs || done <= first.done) return undefined;
  const perMs = (done - first.done) / (now - first.at);
  return now + (of - done) / perMs;
}
