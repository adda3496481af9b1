import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { cancelRun } from '../../../src/connections/runs/runs.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { expect, it } from 'vitest';
import type { SyncSourceInput, TableOutcome } from '../../../workflows/contract.ts';
import { activities, batch, input, running } from '../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const source = (...tables: string[]): SyncSourceInput => ({
  tables: tables.map((table) => ({
    workflowId: unique(table),
    input: { ...input, run: { ...input.run, table } },
  })),
});

const run = (made: ReturnType<typeof activities>, asked: SyncSourceInput) =>
  running(temporal, made, (taskQueue) =>
    temporal.client.workflow.execute('syncSource', {
      workflowId: unique('source'),
      taskQueue,
      args: [asked],
    }),
  );

it('reports every table, and fails if one of them does', async () => {
  const made = activities({
    extractBatch: async ({ run }) => {
      if (run.table === 'users') {
        throw ApplicationFailure.nonRetryable('GET /v2/users: 403', 'PermissionError', {
          advice: 'grant users.view',
        });
      }
      return batch('part', { kind: 'done' });
    },
  });
  const error = await run(made, source('alerts', 'users', 'schedules')).then(
    () => undefined,
    (error: unknown) => error as WorkflowFailedError,
  );
  const failure = error!.cause as ApplicationFailure;
  expect(failure).toMatchObject({
    type: 'TablesFailedError',
    message: expect.stringMatching(/1 of 3.*users$/) as string,
  });
  const outcomes = failure.details as TableOutcome[];
  expect(outcomes.map(({ table, status }) => `${table} ${status}`)).toEqual([
    'alerts synced',
    'users failed',
    'schedules synced',
  ]);
  expect(outcomes[1]).toMatchObject({ error: 'PermissionError', advice: 'grant users.view' });
});

it('returns the outcomes if all tables succeed', async () => {
  const outcomes = (await run(activities({}), source('alerts', 'users'))) as TableOutcome[];
  expect(outcomes.map(({ status }) => status)).toEqual(['synced', 'synced']);
});

it('lets the other tables continue if one table’s run is cancelled', async () => {
  const asked = source('alerts', 'users');
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const made = activities({
    extractBatch: async ({ run }) => {
      made.called.push(`reads ${run.table}`);
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 20);
      await Promise.race([released, context.cancelled]).finally(() => clearInterval(beat));
      return batch('part', { kind: 'done' });
    },
  });
  await running(temporal, made, async (taskQueue) => {
    const handle = await temporal.client.workflow.start('syncSource', {
      workflowId: unique('source'),
      taskQueue,
      args: [asked],
    });
    await expect
      .poll(() => made.called)
      .toEqual(expect.arrayContaining(['reads alerts', 'reads users']) as string[]);
    await cancelRun(temporal.client, asked.tables[0]!.workflowId);
    release();
    const error = (await handle.result().catch((error: unknown) => error)) as WorkflowFailedError;
    const failure = error.cause as ApplicationFailure;
    expect(failure).toMatchObject({
      type: 'TablesFailedError',
      message: expect.stringMatching(/1 of 2.*alerts$/) as string,
    });
    expect(failure.details).toMatchObject([
      { table: 'alerts', status: 'failed', error: 'CancelledFailure' },
      { table: 'users', status: 'synced' },
    ]);
  });
});

it('does not run a table twice at the same time', async () => {
  const asked = source('alerts');
  const twice = { tables: [...asked.tables, ...asked.tables] };
  await expect(run(activities({}), twice)).rejects.toBeInstanceOf(WorkflowFailedError);
});
