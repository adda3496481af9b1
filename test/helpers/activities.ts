import { Worker } from '@temporalio/worker';
import type { Activities, Extracted, Plan } from '../../activities/contract.ts';
import { runSinks } from '../../src/serving/create-worker.ts';
import type { SyncTableInput } from '../../workflows/contract.ts';
import { type TestTemporal, unique } from './temporal.ts';

/** The input of a run whose activities do nothing. */
export const input: SyncTableInput = {
  run: {
    table: 'alerts',
    apiKey: { env: 'NONE' },
    baseUrl: 'http://127.0.0.1:1',
    account: 'acme',
    limits: { batchRows: 10, batchMs: 1_000, giveUpAfterMs: 1_000 },
  },
  syncMethod: 'full_refresh',
};

export const planOf = (...ids: number[]): Plan => ({
  fullRead: true,
  reason: 'first sync',
  windows: ids.map((id) => ({ id, params: [] })),
  plannedOn: 'none',
  state: { account: 'acme', visibility: 'v', filters: '[]' },
  notes: [],
});

export const batch = (name: string, next: Extracted['next']): Extracted => ({
  part: { name, rows: 1, bytes: 1, stagedAt: 0 },
  pages: 1,
  requests: 1,
  bytes: 1,
  waitedMs: 0,
  next,
});

export const committed = {
  status: 'committed',
  version: 7,
  counter: 8,
  rows: 3,
  rowsBefore: 0,
  inserted: 3,
  updated: 0,
  dropped: 0,
  bytesWritten: 1,
  columnsAdded: [],
  differences: 0,
} as const;

/** Activities that do nothing but record their calls; each can be replaced. */
export function activities(
  replaced: Partial<Activities>,
): Activities & { called: string[]; committedParts: string[][] } {
  const called: string[] = [];
  const committedParts: string[][] = [];
  const all: Activities = {
    // Nothing fits into one step unless a test says so.
    quickSync: async (asked) => ({ plan: await all.planSync(asked), batches: [] }),
    planSync: async () => planOf(0),
    extractBatch: async ({ window }) => batch(`w${window.id}`, { kind: 'done' }),
    commitSync: async () => committed,
    recountSync: async () => ({ status: 'agrees' }),
    updateNested: async () => ({ tables: [], notes: [] }),
    discardStaged: async () => undefined,
    keepUp: async () => ({ filesCompacted: 0, filesRemoved: 0, logRemoved: 0, stagingSwept: 0 }),
    ...replaced,
  };
  return {
    called,
    committedParts,
    quickSync: (asked) => (called.push('quick'), all.quickSync(asked)),
    planSync: (asked) => (called.push('plan'), all.planSync(asked)),
    extractBatch: (asked) => (called.push(`extract ${asked.window.id}`), all.extractBatch(asked)),
    commitSync: (asked) => {
      called.push('commit');
      committedParts.push(asked.parts.map(({ name }) => name));
      return all.commitSync(asked);
    },
    recountSync: (asked) => (called.push('recount'), all.recountSync(asked)),
    updateNested: (asked) => (called.push('nested'), all.updateNested(asked)),
    discardStaged: (asked) => (called.push('discard'), all.discardStaged(asked)),
    keepUp: (asked) => (called.push('keep up'), all.keepUp(asked)),
  };
}

/** Runs `work` while a worker with these activities serves its own task queue. */
export async function running<T>(
  temporal: TestTemporal,
  made: Activities,
  work: (taskQueue: string) => Promise<T>,
): Promise<T> {
  const taskQueue = unique('sync-table');
  const worker = await Worker.create({
    connection: temporal.connection,
    taskQueue,
    activities: made,
    workflowBundle: temporal.workflowBundle,
    sinks: runSinks(),
    maxHeartbeatThrottleInterval: 100,
  });
  return worker.runUntil(() => work(taskQueue));
}
