import { Context } from '@temporalio/activity';
import type { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { cancelTable } from '../../../src/connections/runs/cancel.ts';
import { runsInProgress } from '../../../src/connections/runs/run-in-progress.ts';
import { progressOf } from '../../../src/connections/runs/runs.ts';
import { createWorker, fleetLimits } from '../../../src/serving/create-worker.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { tableWorkflowId } from '../../../src/temporal/names.ts';
import type { SyncTableInput } from '../../../workflows/contract.ts';
import { activities, batch, committed, input, planOf, running } from '../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

/** A run that needs one batch. */
const small = {
  plan: planOf(0),
  batches: [{ windowId: 0, extracted: batch('w0', { kind: 'done' }) }],
  outcome: committed,
};

const start = (taskQueue: string, quick: SyncTableInput['quick'] = 'local') =>
  temporal.client.workflow.start('syncTable', {
    workflowId: tableWorkflowId(unique('/data'), 'alerts'),
    taskQueue,
    args: [{ ...input, quick }],
  });

it.each([
  ['within its workflow task, with six events', 'local', 6],
  ['in one activity, with eleven events, if an earlier version made its schedule', true, 11],
] as const)('a small run does everything %s', async (_how, quick, events) => {
  const made = activities({ quickSync: async () => small });
  await running(temporal, made, async (taskQueue) => {
    const handle = await start(taskQueue, quick);
    expect(await handle.result()).toMatchObject({ rows: committed.rows, version: committed.version });
    expect(made.called).toEqual(['quick']);
    expect((await handle.fetchHistory()).events).toHaveLength(events);
  });
});

it('continues as an activity after a failure that may pass, and not after one that is final', async () => {
  const asked: boolean[] = [];
  const failing = (nonRetryable: boolean) =>
    activities({
      quickSync: async () => {
        const { isLocal } = Context.current().info;
        asked.push(isLocal);
        if (!isLocal) return small;
        throw ApplicationFailure.create({ type: 'ApiUnavailableError', message: '503', nonRetryable });
      },
    });
  const [passing, final] = [failing(false), failing(true)];
  await running(temporal, passing, async (taskQueue) => {
    expect(await (await start(taskQueue)).result()).toMatchObject({ version: committed.version });
  });
  expect(asked).toEqual([true, false]);
  await running(temporal, final, async (taskQueue) => {
    const result = (await start(taskQueue)).result();
    const error = (await result.catch((error: unknown) => error)) as WorkflowFailedError;
    expect(error.cause).toMatchObject({ type: 'ApiUnavailableError', message: '503' });
  });
  expect(final.called).toEqual(['quick', 'discard']);
});

it('shows that a worker has it, and leaves nothing staged if it is cancelled within its workflow task', async () => {
  const made = activities({ quickSync: () => Context.current().cancelled });
  await running(temporal, made, async (taskQueue) => {
    const handle = await start(taskQueue);
    await expect.poll(() => made.called).toContain('quick');
    expect(await progressOf(handle)).toEqual({ table: 'alerts', phase: 'reading', notes: [] });
    const [run] = await runsInProgress(temporal.client, [], handle.workflowId);
    expect(run).toMatchObject({ workerAnswers: true, phase: 'reading' });
    const { workflowId } = handle;
    const { signal } = new AbortController();
    expect(await cancelTable(temporal.client, { scheduleId: unique('none'), workflowId }, signal)).toEqual({
      ended: [workflowId],
      unanswered: [],
    });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });
  expect(made.called).toEqual(['quick', 'discard']);
});

it('ends as cancelled if its step ends after the cancellation, and does not begin the step again', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const made = activities({ quickSync: () => released.then(() => small) });
  await running(temporal, made, async (taskQueue) => {
    const handle = await start(taskQueue);
    await expect.poll(() => made.called).toContain('quick');
    await handle.cancel();
    release();
    const error = (await handle.result().catch((error: unknown) => error)) as WorkflowFailedError;
    expect(error.cause).toBeInstanceOf(CancelledFailure);
  });
  expect(made.called).toEqual(['quick', 'discard']);
});

it(
  'runs that hang within their tasks give their places back and hang as activities',
  { timeout: 60_000 },
  async () => {
    const { connection, namespace, workflowBundle } = temporal;
    const taskQueue = unique('hanging');
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let hanging = 0;
    const made = activities({
      quickSync: async ({ run }) => {
        if (run.table === 'users') return small;
        hanging += 1;
        await released;
        return small;
      },
    });
    const worker = await createWorker({
      connection,
      namespace,
      workflowBundle,
      taskQueue,
      activities: made,
      limits: fleetLimits,
    });
    await worker.runUntil(async () => {
      const places = fleetLimits.maxConcurrentLocalActivityExecutions!;
      const runs = await Promise.all(Array.from({ length: places }, () => start(taskQueue)));
      await expect.poll(() => hanging, { timeout: 5_000 }).toBe(places);
      const other = await temporal.client.workflow.start('syncTable', {
        workflowId: unique('other'),
        taskQueue,
        args: [{ ...input, run: { ...input.run, table: 'users' }, quick: 'local' }],
      });
      await other.result();
      const states = await Promise.all(runs.map((run) => run.describe()));
      expect(new Set(states.map(({ status }) => status.name))).toEqual(new Set(['RUNNING']));
      release();
      await Promise.all(runs.map((run) => run.result()));
    });
  },
);
