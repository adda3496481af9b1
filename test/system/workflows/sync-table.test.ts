import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { describe, expect, it } from 'vitest';
import type { Activities, CommitInput, ExtractInput } from '../../../activities/contract.ts';
import type { SyncTableInput, SyncTableResult } from '../../../workflows/contract.ts';
import { startReading } from '../../../workflows/windows.ts';
import { activities, batch, committed, input, planOf, running } from '../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const start = (taskQueue: string, more: Partial<SyncTableInput> = {}) =>
  temporal.client.workflow.start('syncTable', {
    workflowId: unique('run'),
    taskQueue,
    args: [{ ...input, ...more }],
  });

async function resultOf(made: Activities): Promise<SyncTableResult> {
  return running(
    temporal,
    made,
    async (taskQueue) => (await start(taskQueue)).result() as Promise<SyncTableResult>,
  );
}

async function failureOf(made: Activities): Promise<Error> {
  const error = await resultOf(made).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause!;
}

describe('syncTable', () => {
  it('commits every window once, and does not repeat the sweep of the commit', async () => {
    const made = activities({ planSync: async () => planOf(0, 1, 2) });
    expect(await resultOf(made)).toMatchObject({ version: 7, rows: 3, read: { batches: 3, rows: 3 } });
    expect(made.committedParts.map((parts) => parts.toSorted())).toEqual([['w0', 'w1', 'w2']]);
    expect(made.called).not.toContain('discard');
  });

  it('has the account asked for again before the commit of a run that lasted longer than a minute', async () => {
    const asked: CommitInput[] = [];
    const made = activities({ commitSync: async (commit) => (asked.push(commit), committed) });
    const plan = planOf(0);
    for (const seconds of [61, 5]) {
      const carried = { plan, reading: startReading(plan), planned: 1, began: Date.now() - seconds * 1_000 };
      await running(temporal, made, async (taskQueue) => {
        const run = { workflowId: unique('run'), taskQueue, args: [{ ...input, carried }] };
        await (await temporal.client.workflow.start('syncTable', run)).result();
      });
    }
    expect(asked.map(({ isLong }) => isLong)).toEqual([true, undefined]);
  });

  it('drops its staging and plans again when another commit overtook it, up to three times', async () => {
    const made = activities({ commitSync: async () => ({ status: 'overtaken', reason: 'another commit' }) });
    expect(await failureOf(made)).toMatchObject({ type: 'OvertakenError' });
    expect(made.called.filter((name) => name === 'plan')).toHaveLength(4);
    // Parts of a plan that was dropped must not reach the next commit.
    expect(made.committedParts).toEqual([['w0'], ['w0'], ['w0'], ['w0']]);
    expect(made.called.filter((name) => name === 'discard').length).toBeGreaterThanOrEqual(4);
  });

  it('fails with the reason and the advice, and sweeps after the other windows have stopped', async () => {
    const stopped: string[] = [];
    const made = activities({
      planSync: async () => planOf(0, 1),
      extractBatch: async ({ window }: ExtractInput) => {
        const context = Context.current();
        if (window.id === 0) {
          throw ApplicationFailure.nonRetryable('GET /v2/alerts: 403', 'PermissionError', {
            advice: 'grant it',
          });
        }
        const beat = setInterval(() => context.heartbeat(), 20);
        return context.cancelled.finally(() => {
          clearInterval(beat);
          stopped.push('window 1');
        });
      },
      discardStaged: async () => void stopped.push('swept'),
    });
    const failure = await failureOf(made);
    expect(failure).toMatchObject({ type: 'PermissionError', message: 'GET /v2/alerts: 403' });
    expect((failure as ApplicationFailure).details).toEqual([{ advice: 'grant it' }]);
    expect(stopped).toEqual(['window 1', 'swept']);
    expect(made.called).not.toContain('commit');
  });

  describe('whose commit requests upkeep', () => {
    const commitSync = async () => ({ ...committed, upkeepSince: 5 });

    it('does the upkeep once, after the commit', async () => {
      const asked: unknown[] = [];
      const made = activities({
        commitSync,
        keepUp: async ({ since }) => {
          asked.push(since);
          return activities({}).keepUp({ run: { ...input.run, chainId: 'run' }, since });
        },
      });
      expect(await resultOf(made)).toMatchObject({ version: 7, notes: [] });
      expect(made.called).toEqual(['plan', 'extract 0', 'commit', 'keep up']);
      expect(asked).toEqual([5]);
      const other = activities({});
      await resultOf(other);
      expect(other.called).not.toContain('keep up');
    });

    it('succeeds although upkeep fails, after one attempt, and reports it', async () => {
      const made = activities({
        commitSync,
        keepUp: () => Promise.reject(new Error('EACCES: things/part.parquet')),
      });
      expect(await resultOf(made)).toMatchObject({
        version: 7,
        notes: [expect.stringContaining('EACCES: things/part.parquet') as string],
      });
      expect(made.called.filter((name) => name === 'keep up')).toHaveLength(1);
    });

    it('succeeds although it is cancelled during upkeep, and reports it', async () => {
      const made = activities({
        commitSync,
        keepUp: () => {
          const context = Context.current();
          const beat = setInterval(() => context.heartbeat(), 20);
          return context.cancelled.finally(() => clearInterval(beat));
        },
      });
      const result = await running(temporal, made, async (taskQueue) => {
        const handle = await start(taskQueue);
        await expect.poll(() => made.called).toContain('keep up');
        await handle.cancel();
        return handle.result();
      });
      expect(result).toMatchObject({
        version: 7,
        notes: [expect.stringContaining('cancelled') as string],
      });
      expect(made.called).not.toContain('discard');
    });
  });

  describe('of a table with nested tables', () => {
    const planSync = async () => ({ ...planOf(0), nested: ['parts'] });

    it('brings them up to date after the commit, and says which ones they are', async () => {
      const made = activities({ planSync });
      expect(await resultOf(made)).toMatchObject({ notes: [], nested: { counter: 8, tables: ['parts'] } });
      expect(made.called).toEqual(['plan', 'extract 0', 'commit', 'nested']);
    });

    it('succeeds although they cannot be made, reports it, and does not say that they are up to date', async () => {
      const made = activities({
        planSync,
        updateNested: () =>
          Promise.reject(
            ApplicationFailure.nonRetryable('parts: no space', 'ENOSPC', { advice: 'free some' }),
          ),
      });
      const result = await resultOf(made);
      expect(result).toMatchObject({
        version: 7,
        notes: [expect.stringContaining('parts: no space') as string],
      });
      expect(result).not.toHaveProperty('nested');
    });
  });

  it('leaves nothing staged when it is cancelled, and ends as cancelled', async () => {
    const swept: string[] = [];
    const made = activities({
      extractBatch: async () => {
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 20);
        return context.cancelled.finally(() => clearInterval(beat));
      },
      discardStaged: async () => void swept.push('swept'),
    });
    await running(temporal, made, async (taskQueue) => {
      const handle = await start(taskQueue);
      await expect.poll(() => made.called).toContain('extract 0');
      await handle.cancel();
      const error = (await handle.result().catch((error: unknown) => error)) as WorkflowFailedError;
      expect(error.cause).toBeInstanceOf(CancelledFailure);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
    });
    expect(swept).toEqual(['swept']);
  });

  it('reads at most eight windows side by side', async () => {
    let now = 0;
    let most = 0;
    const made = activities({
      planSync: async () => planOf(...Array.from({ length: 20 }, (_, id) => id)),
      extractBatch: async ({ window }) => {
        most = Math.max(most, (now += 1));
        await new Promise(setImmediate);
        now -= 1;
        return batch(`w${window.id}`, { kind: 'done' });
      },
    });
    await resultOf(made);
    expect(most).toBeLessThanOrEqual(8);
    expect(made.committedParts[0]).toHaveLength(20);
  });

  it('compares the account in every batch after the plan has read it', async () => {
    const accounts: string[] = [];
    const made = activities({
      planSync: async () => ({ ...planOf(0), state: { account: 'read', visibility: 'v', filters: '[]' } }),
      extractBatch: async ({ run }) => (accounts.push(run.account), batch('p', { kind: 'done' })),
    });
    await resultOf(made);
    expect(accounts).toEqual(['read']);
  });

  it('keeps its history to six events per batch and twenty per run, including upkeep', async () => {
    let left = 5;
    const made = activities({
      commitSync: async () => ({ ...committed, upkeepSince: 0 }),
      extractBatch: async () =>
        batch(`p${left}`, (left -= 1) > 0 ? { kind: 'more', after: `${left}` } : { kind: 'done' }),
    });
    await running(temporal, made, async (taskQueue) => {
      const handle = await start(taskQueue);
      await handle.result();
      const { events } = await handle.fetchHistory();
      expect(events!.length).toBeLessThanOrEqual(6 * 5 + 20);
    });
  });
});
