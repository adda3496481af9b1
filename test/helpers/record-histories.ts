// Records the histories that test/system/workflows/replay.test.ts replays: one per shape of run, produced by the real
// workflows on a real server, with activities that do nothing. Shapes that have a history keep it: what an earlier
// version started must replay under every later one. Run it after adding a shape:
// node --import ./test/helpers/run-typescript.mjs test/helpers/record-histories.ts
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Activities, Plan } from '../../activities/contract.ts';
import { runSinks } from '../../src/serving/create-worker.ts';
import { findTemporalCli } from '../../src/temporal/dev-server/cli-binary.ts';
import { activities, batch, committed, input, planOf } from './activities.ts';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));
const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

Runtime.install({ logger: new DefaultLogger('ERROR') });
const path = await findTemporalCli({ env: process.env, report: console.error });
// Runs continue as new after a few dozen events, so that the recorded histories stay small.
const extraArgs = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40'];
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'existing-path', path }, extraArgs },
});

/** Removes the names of the machine and its folders, which a replay does not need. */
function anonymous(history: string): string {
  return JSON.stringify(
    JSON.parse(history, (key, value: unknown) => (key === 'stackTrace' || key === 'identity' ? '' : value)),
  );
}

type Shape = {
  readonly activities: Partial<Activities>;
  readonly workflow?: 'syncTable' | 'syncSource';
  readonly args?: readonly unknown[];
  /** The run is cancelled once this activity has been called. */
  readonly cancelAt?: string;
};

const failing = async () => {
  throw ApplicationFailure.nonRetryable('GET /v2/alerts: 403', 'PermissionError', { advice: 'grant it' });
};
const inOneStep = {
  plan: planOf(0),
  batches: [{ windowId: 0, extracted: { ...batch('w0', { kind: 'done' }), unchanged: 3 } }],
  outcome: committed,
};
let batches = 0;
let looks = 0;
let plans = 0;

const shapes: { readonly [name: string]: Shape } = {
  'one-window': { activities: {} },
  'several-windows': { activities: { planSync: async () => planOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) } },
  'split-and-reopened': {
    activities: {
      extractBatch: async ({ window, after }) => {
        if (window.id === 0) {
          return batch('w0', { kind: 'split', windows: [1, 2, 3].map((id) => ({ id, params: [] })) });
        }
        if (window.id === 2 && (batches += 1) < 3) return batch('w2', { kind: 'reopen', reason: '404' });
        return batch('part', after === undefined ? { kind: 'more', after: 'a' } : { kind: 'done' });
      },
    },
  },
  overtaken: {
    activities: {
      commitSync: async (asked) =>
        (plans += 1) < 3 ? { status: 'overtaken', reason: 'another' } : activities({}).commitSync(asked),
    },
  },
  'kept-up': { activities: { commitSync: async () => ({ ...committed, upkeepSince: 0 }) } },
  nested: { activities: { planSync: async () => ({ ...planOf(0), nested: ['parts'] }) } },
  'nested-behind': {
    activities: { planSync: async () => ({ ...planOf(0), nested: ['parts'] }), updateNested: failing },
  },
  failed: { activities: { planSync: async () => planOf(0, 1), extractBatch: failing } },
  cancelled: {
    cancelAt: 'extract 0',
    activities: {
      extractBatch: () => {
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 20);
        return context.cancelled.finally(() => clearInterval(beat));
      },
    },
  },
  'continued-as-new': {
    activities: {
      planSync: async () => planOf(0, 1),
      extractBatch: async ({ after = '0' }) =>
        batch(
          `part ${after}`,
          after === '9' ? { kind: 'done' } : { kind: 'more', after: String(Number(after) + 1) },
        ),
    },
  },
  'parent-by-parent': {
    activities: {
      planSync: async () => planOfParents(0, 1, 2),
      extractBatch: async ({ window, after }) => ({
        ...batch(`w${window.id}`, after === undefined ? { kind: 'more', after: '["a"]' } : { kind: 'done' }),
        parents: {
          done: 2,
          gone: 1,
          left: window.id === 1 && after !== undefined ? ['b'] : [],
          keys: { name: `k${window.id}`, rows: 2, bytes: 1, stagedAt: 0 },
        },
      }),
    },
  },
  'in-one-step': {
    args: [{ ...input, quick: true }],
    activities: { quickSync: async () => inOneStep },
  },
  'within-its-task': {
    args: [{ ...input, quick: 'local' }],
    activities: { quickSync: async () => inOneStep },
  },
  'within-its-task-at-first': {
    args: [{ ...input, quick: 'local' }],
    activities: {
      quickSync: async () => {
        if (!Context.current().info.isLocal) return inOneStep;
        throw ApplicationFailure.retryable('GET /v2/alerts: 503', 'ApiUnavailableError', { advice: 'wait' });
      },
    },
  },
  'too-long-for-one-step': {
    args: [{ ...input, quick: true }],
    activities: {
      quickSync: async () => ({
        plan: planOf(0, 1),
        batches: [
          { windowId: 0, extracted: batch('w0', { kind: 'more', after: 'a' }) },
          { windowId: 1, extracted: batch('w1', { kind: 'done' }) },
        ],
      }),
    },
  },
  'overtaken-in-one-step': {
    args: [{ ...input, quick: true }],
    activities: {
      quickSync: async () => ({
        plan: planOf(0),
        batches: [{ windowId: 0, extracted: batch('w0', { kind: 'done' }) }],
        outcome: { status: 'overtaken', reason: 'another' },
      }),
    },
  },
  'nothing-changed': { activities: { planSync: async () => planOfParents() } },
  'waits-for-its-parent': {
    args: [{ ...input, run: { ...input.run, periodic: true } }],
    activities: {
      planSync: async () => {
        if ((looks += 1) > 1) return planOfParents(0);
        throw ApplicationFailure.nonRetryable('incidents has not been synced', 'ParentMissingError', {
          advice: 'Sync it too.',
        });
      },
    },
  },
  'source-with-a-failure': {
    workflow: 'syncSource',
    args: [
      {
        tables: ['alerts', 'users'].map((table) => ({
          workflowId: `recorded-${table}`,
          input: { ...input, run: { ...input.run, table } },
        })),
      },
    ],
    activities: {
      extractBatch: async ({ run, window }) =>
        run.table === 'users' ? failing() : batch(`w${window.id}`, { kind: 'done' }),
    },
  },
};

/** The plan of a table that is read parent by parent. */
function planOfParents(...ids: number[]): Plan {
  const pick = { tableId: 'incidents', version: 3, only: { since: 1, open: [], left: [] } };
  const windows = ids.map((id) => ({ id, params: [], parents: { upTo: `p${id}`, count: 4 } }));
  return { ...planOf(), fullRead: false, windows, parents: { pick, count: 4 * ids.length } };
}

try {
  await mkdir(folder, { recursive: true });
  const recorded = new Set(await readdir(folder));
  for (const [name, { workflow = 'syncTable', args = [input], cancelAt, ...shape }] of Object.entries(
    shapes,
  )) {
    if (recorded.has(`${name}.json`)) continue;
    const made = activities(shape.activities);
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: name,
      activities: made,
      workflowsPath,
      sinks: runSinks(),
      maxHeartbeatThrottleInterval: 100,
    });
    await worker.runUntil(async () => {
      const handle = await environment.client.workflow.start(workflow, {
        workflowId: name,
        taskQueue: name,
        args: [...args],
      });
      if (cancelAt !== undefined) {
        while (!made.called.includes(cancelAt)) await new Promise(setImmediate);
        await handle.cancel();
      }
      await handle.result().then(
        () => undefined,
        (error: unknown) => console.error(`${name}: ${String(error)}`),
      );
      // Every execution of the chain has to be replayed.
      let runId: string | undefined = handle.firstExecutionRunId;
      for (let part = 1; runId !== undefined; part += 1) {
        const history = await environment.client.workflow.getHandle(name, runId).fetchHistory();
        const file = `${name}${part === 1 ? '' : `-${part}`}.json`;
        await writeFile(`${folder}${file}`, `${anonymous(historyToJSON(history))}\n`);
        runId =
          history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ??
          undefined;
      }
    });
  }
} finally {
  await environment.teardown();
}
