import { Context } from '@temporalio/activity';
import { expect, it } from 'vitest';
import type { Beat } from '../../../../activities/contract.ts';
import { progressOf } from '../../../../src/connections/runs/runs.ts';
import { quietRuntime } from '../../../../src/serving/runtime.ts';
import { activities, batch, input, planOf, running } from '../../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

it('shows until when a run waits because the API asked it to, and only while all its windows wait', async () => {
  const soon = Date.now() + 600_000;
  const later = Date.now() + 900_000;
  const ends = new Map<number, number | undefined>([
    [0, later],
    [1, undefined],
  ]);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const made = activities({
    planSync: async () => planOf(0, 1),
    extractBatch: async ({ window }) => {
      const context = Context.current();
      const beat = setInterval(() => {
        const waitingUntil = ends.get(window.id);
        context.heartbeat({ at: Date.now(), ...(waitingUntil && { waitingUntil }) } satisfies Beat);
      }, 20);
      await Promise.race([released, context.cancelled]).finally(() => clearInterval(beat));
      return batch(`w${window.id}`, { kind: 'done' });
    },
  });
  await running(temporal, made, async (taskQueue) => {
    const handle = await temporal.client.workflow.start('syncTable', {
      workflowId: unique('waiting'),
      taskQueue,
      args: [input],
    });
    const pending = async () => (await handle.describe()).raw.pendingActivities ?? [];
    await expect
      .poll(async () => (await pending()).filter(({ heartbeatDetails }) => heartbeatDetails?.payloads).length)
      .toBe(2);
    expect(await progressOf(handle)).not.toHaveProperty('waitingUntil');
    ends.set(1, soon);
    await expect.poll(async () => (await progressOf(handle)).waitingUntil).toBe(new Date(soon).toISOString());
    release();
    await handle.result();
    expect(await progressOf(handle)).not.toHaveProperty('waitingUntil');
  });
});
