import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { runSinks } from '../../../src/serving/create-worker.ts';
import { findTemporalCli } from '../../../src/temporal/dev-server/cli-binary.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import type { SyncTableResult } from '../../../workflows/contract.ts';
import { activities, batch, input, planOf } from '../../helpers/activities.ts';

it(
  'carries windows, cursors, parts and its id through every execution of a long run',
  { timeout: 120_000 },
  async () => {
    quietRuntime();
    const path = await findTemporalCli({ env: process.env, report: () => {} });
    const server = {
      executable: { type: 'existing-path' as const, path },
      extraArgs: [
        '--dynamic-config-value',
        'limit.historyCount.suggestContinueAsNew=60',
        '--log-level',
        'never',
      ],
    };
    const environment = await TestWorkflowEnvironment.createLocal({ server });
    try {
      const runIds = new Set<string>();
      const asked: string[] = [];
      const made = activities({
        planSync: async () => planOf(0, 1, 2),
        extractBatch: async ({ run, window, after = '0', startedAt }) => {
          runIds.add(run.chainId);
          asked.push(`${window.id}/${after}`);
          expect(startedAt).toHaveLength(Math.max(0, Number(after) - 1));
          return batch(
            `${window.id}/${after}`,
            after === '19' ? { kind: 'done' } : { kind: 'more', after: String(Number(after) + 1) },
          );
        },
      });
      const worker = await Worker.create({
        connection: environment.nativeConnection,
        taskQueue: 'long',
        activities: made,
        workflowBundle: { codePath: inject('workflowBundlePath') },
        sinks: runSinks(),
      });
      await worker.runUntil(async () => {
        const handle = await environment.client.workflow.start('syncTable', {
          workflowId: 'long',
          taskQueue: 'long',
          args: [input],
        });
        const result = (await handle.result()) as SyncTableResult;
        expect(result.read).toMatchObject({ batches: 60, rows: 60 });
        const last = await environment.client.workflow.getHandle('long').describe();
        // The duration of the whole run: with only its last part, status would report the table as late.
        expect(result.seconds).toBeGreaterThan(
          (last.closeTime!.getTime() - last.startTime.getTime()) / 1_000,
        );
        expect(last.runId).not.toBe(handle.firstExecutionRunId);
        expect([...runIds]).toEqual([handle.firstExecutionRunId]);
      });
      expect(made.called.filter((name) => name === 'plan')).toHaveLength(1);
      // Each batch was read once, and each part was committed once.
      expect(new Set(asked).size).toBe(60);
      expect(made.committedParts[0]!.toSorted()).toEqual(asked.toSorted());
    } finally {
      await environment.teardown();
    }
  },
);
