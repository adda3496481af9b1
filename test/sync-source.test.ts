import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { quietRuntime } from '../src/temporal/serve.ts';
import { expect, it } from 'vitest';
import type { SyncSourceInput, TableOutcome } from '../workflows/sync-source.ts';
import { activities, batch, input, running } from './helpers/activities.ts';
import { connectToTestServer, unique } from './helpers/temporal.ts';

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

it('reports every table, and fails beside the others’ success when one does', async () => {
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
  expect(failure).toMatchObject({ type: 'TablesFailedError', message: '1 of 3 tables failed: users' });
  const outcomes = failure.details as TableOutcome[];
  expect(outcomes.map(({ table, status }) => `${table} ${status}`)).toEqual([
    'alerts synced',
    'users failed',
    'schedules synced',
  ]);
  expect(outcomes[1]).toMatchObject({ error: 'PermissionError', advice: 'grant users.view' });
});

it('gives the outcomes of tables that all went well', async () => {
  const outcomes = (await run(activities({}), source('alerts', 'users'))) as TableOutcome[];
  expect(outcomes.map(({ status }) => status)).toEqual(['synced', 'synced']);
});

it('does not run a table twice at a time', async () => {
  const asked = source('alerts');
  const twice = { tables: [...asked.tables, ...asked.tables] };
  await expect(run(activities({}), twice)).rejects.toBeInstanceOf(WorkflowFailedError);
});
