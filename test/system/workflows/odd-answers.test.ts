import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Activities, CommitInput } from '../../../activities/contract.ts';
import { healthOf } from '../../../src/connections/status/table-health.ts';
import { statusOf } from '../../../src/connections/status/table-status.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import type { SyncTableResult } from '../../../workflows/contract.ts';
import { activities, committed, input, running } from '../../helpers/activities.ts';
import { link } from '../../helpers/linked.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const impatient = { ...input, run: { ...input.run, limits: { ...input.run.limits, secondLookAfterMs: 1 } } };

async function resultOf(made: Activities): Promise<SyncTableResult> {
  return running(temporal, made, async (taskQueue) => {
    const args = [impatient];
    const handle = await temporal.client.workflow.start('syncTable', {
      workflowId: unique('run'),
      taskQueue,
      args,
    });
    return handle.result() as Promise<SyncTableResult>;
  });
}

const doubtful = { status: 'doubtful', reason: '70 of its 120 rows would be dropped', dropped: 70 } as const;

describe('a run whose commit is doubtful', () => {
  it('reads the table a second time, and commits what either reading saw', async () => {
    const asked: CommitInput[] = [];
    const made = activities({
      commitSync: async (commit) => {
        asked.push(commit);
        return asked.length === 1 ? doubtful : committed;
      },
    });
    const { notes } = await resultOf(made);
    expect(asked.map(({ look }) => look)).toEqual([{ reading: 1 }, { reading: 2, droppedAtFirst: 70 }]);
    // Rows that only the first reading saw would be dropped if its parts were.
    expect(asked.map(({ parts }) => parts.length)).toEqual([1, 2]);
    expect(made.called.filter((name) => name === 'plan')).toHaveLength(1);
    expect(notes.join()).toContain(doubtful.reason);
  });

  it('fails if the second reading does not confirm the first, and deletes what it staged', async () => {
    const made = activities({ commitSync: async () => doubtful });
    const error = await resultOf(made).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toMatchObject({ type: 'ContradictedError' });
    expect(made.called.filter((name) => name === 'commit')).toHaveLength(2);
    expect(made.called).toContain('discard');
  });
});

it('a table that the account does not have neither fails its schedule nor is asked for each time', async () => {
  const sandbox = await startSandbox({ limits: 'off' });
  onTestFinished(() => sandbox.stop());
  sandbox.fault({ fault: { kind: 'error', status: 404 }, table: 'escalations' });
  const linked = await link(temporal, sandbox, {
    escalations: { syncMethod: 'incremental', incrementalField: 'updated_at', every: '1h' },
  });
  const table = tableNamed('escalations');
  const requests = () => sandbox.requests.filter((request) => request.table === 'escalations').length;
  await linked.serving(async () => {
    const first = await linked.run('escalations');
    expect(first.unavailable).toMatchObject({ error: 'TableUnavailableError' });
    const asked = requests();
    expect(asked).toBeGreaterThan(0);
    const second = await linked.run('escalations');
    expect(second.unavailable).toEqual(first.unavailable);
    expect(requests()).toBe(asked);
    const status = await statusOf(temporal.client, linked.settings, table, linked.warehouse);
    expect(healthOf(status)).toMatchObject({ state: 'not_available', error: 'TableUnavailableError' });
  });
  expect(await linked.warehouse.readState(table)).toBeUndefined();
});
