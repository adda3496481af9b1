import { fileURLToPath } from 'node:url';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import type { Activities, Extracted } from '../../../../activities/contract.ts';
import { UsageError } from '../../../../src/errors.ts';
import { tableWorkflowId } from '../../../../src/temporal/names.ts';
import { cancelTable } from '../../../../src/connections/runs/cancel.ts';
import { cancelRun, outcomeOf } from '../../../../src/connections/runs/runs.ts';
import { startRun } from '../../../../src/connections/runs/start-run.ts';
import { quietRuntime } from '../../../../src/serving/runtime.ts';
import { createWorker } from '../../../../src/serving/create-worker.ts';
import type { SyncTableInput } from '../../../../workflows/contract.ts';
import { activities, batch, input } from '../../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

/** Waits until it is cancelled. */
async function untilCancelled(): Promise<Extracted> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 20);
  return context.cancelled.finally(() => clearInterval(beat));
}

/** Does the work while a worker, made in the product's way, serves the queue. */
async function serving(made: Activities, taskQueue: string, work: () => Promise<void>): Promise<void> {
  const { connection, namespace, workflowBundle } = temporal;
  const worker = await createWorker({ connection, namespace, taskQueue, activities: made, workflowBundle });
  await worker.runUntil(work);
}

/** Leaves an open run whose history the product's workflows cannot replay. */
async function leaveUnreplayable(place: string): Promise<void> {
  const old = await Worker.create({
    connection: temporal.connection,
    taskQueue: place,
    activities: activities({}),
    workflowsPath: fileURLToPath(new URL('../../../fixtures/other-workflows/index.ts', import.meta.url)),
    // With a cache, its tasks would wait ten seconds for this worker instead of going to the next one.
    maxCachedWorkflows: 0,
  });
  await old.runUntil(async () => {
    const { handle } = await begin(place, input);
    await expect.poll(async () => (await handle.describe()).historyLength).toBeGreaterThan(10);
  });
}

const begin = (place: string, asked: SyncTableInput) => startRun(temporal.client, place, place, asked);

describe('a run that is already open', () => {
  it('is taken up by a start with the same arguments', async () => {
    const place = unique('place');
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const made = activities({ extractBatch: () => released.then(() => batch('part', { kind: 'done' })) });
    await serving(made, place, async () => {
      const first = await begin(place, input);
      const second = await begin(place, { ...input });
      expect([first.how, second.how]).toEqual(['started', 'taken_up']);
      release();
      expect((await outcomeOf(second)).status).toBe('synced');
      expect(made.called.filter((name) => name === 'plan')).toHaveLength(1);
    });
  });

  it('is cancelled, and deletes what it staged, before one with other arguments starts', async () => {
    const place = unique('place');
    const made = activities({
      planSync: async ({ syncMethod }) => {
        if (syncMethod === 'incremental') made.called.push('the other plan');
        return { ...(await activities({}).planSync({ run: { ...input.run, chainId: 'r' }, syncMethod })) };
      },
      extractBatch: async () =>
        made.called.includes('the other plan') ? batch('part', { kind: 'done' }) : untilCancelled(),
    });
    await serving(made, place, async () => {
      const first = await begin(place, input);
      await expect.poll(() => made.called).toContain('extract 0');
      const second = await begin(place, {
        ...input,
        syncMethod: 'incremental',
        incrementalField: 'updated_at',
      });
      expect(second.how).toBe('replaced');
      expect(await outcomeOf(first)).toMatchObject({ status: 'cancelled' });
      expect(await outcomeOf(second)).toMatchObject({ status: 'synced' });
      expect(made.called.indexOf('discard')).toBeLessThan(made.called.indexOf('the other plan'));
    });
  });

  it('is left alone if it belongs to another account', async () => {
    const place = unique('place');
    const made = activities({ extractBatch: untilCancelled });
    await serving(made, place, async () => {
      const { handle } = await begin(place, input);
      const other = { ...input, run: { ...input.run, account: 'other' } };
      await expect(begin(place, other)).rejects.toBeInstanceOf(UsageError);
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow('cancelled');
    });
  });

  it('starts over if this version cannot replay it', async () => {
    const place = unique('place');
    await leaveUnreplayable(place);
    await serving(activities({}), place, async () => {
      const taken = await begin(place, input);
      expect(taken.how).toBe('taken_up');
      expect(await outcomeOf(taken)).toMatchObject({ status: 'synced' });
    });
  });

  it.each([
    ['cancelRun', (place: string) => cancelRun(temporal.client, tableWorkflowId(place, input.run.table))],
    [
      'cancelTable',
      (place: string) =>
        cancelTable(
          temporal.client,
          { scheduleId: 'none', workflowId: tableWorkflowId(place, input.run.table) },
          new AbortController().signal,
        ),
    ],
  ])('stays cancelled by %s if this version cannot replay it', async (_, cancel) => {
    const place = unique('place');
    await leaveUnreplayable(place);
    // A run that starts over would read and commit.
    const made = activities({ extractBatch: untilCancelled });
    await serving(made, place, async () => {
      await cancel(place);
      const { status } = await temporal.client.workflow
        .getHandle(tableWorkflowId(place, input.run.table))
        .describe();
      expect(status.name).toBe('CANCELLED');
      expect(made.called).not.toContain('commit');
    });
  });

  it('does not start over if it fails by itself', async () => {
    const place = unique('place');
    const made = activities({
      planSync: () => Promise.reject(ApplicationFailure.nonRetryable('no scope', 'PermissionError')),
    });
    await serving(made, place, async () => {
      const run = await begin(place, input);
      expect(await outcomeOf(run)).toMatchObject({ status: 'failed', error: 'PermissionError' });
      expect(made.called).toEqual(['plan', 'discard']);
    });
  });

  it('is cancelled first if its arguments are unknown', async () => {
    const place = unique('place');
    const made = activities({
      extractBatch: async () =>
        made.called.includes('discard') ? batch('part', { kind: 'done' }) : untilCancelled(),
    });
    await serving(made, place, async () => {
      // Started by hand, without the memo by which runs are compared.
      await temporal.client.workflow.start('syncTable', {
        workflowId: tableWorkflowId(place, input.run.table),
        taskQueue: place,
        args: [input],
      });
      await expect.poll(() => made.called).toContain('extract 0');
      const mine = await begin(place, input);
      expect(mine.how).toBe('replaced');
      expect(await outcomeOf(mine)).toMatchObject({ status: 'synced' });
    });
  });
});
