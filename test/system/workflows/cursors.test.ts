import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../../src/settings/settings.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { link, type Linked, resultOf, startedAfter } from '../../helpers/linked.ts';
import { changeWithDeltaRs } from '../../helpers/delta-reader.ts';
import { sync } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();

const byUpdatedAt: TableSettings = { syncMethod: 'incremental', incrementalField: 'updated_at', every: '1h' };

async function sandboxOf(): Promise<Sandbox> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 600, incident_updates: 0, follow_ups: 0, alerts: 0, escalations: 0, users: 5 },
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

let changes = 0;

/** Changes rows all over the table and creates one. Deletes none: only full reads see deletions. */
function changeSome(sandbox: Sandbox): void {
  for (let index = 0; index < 600; index += 40) {
    changes += 1;
    sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed ${changes}` });
  }
  sandbox.create('incidents', { mode: 'test' });
}

it('asks only for changes in every scheduled run after the first', async () => {
  const sandbox = await sandboxOf();
  const linked = await link(temporal, sandbox, {});
  await linked.serving(async () => {
    await linked.link('incidents', { ...byUpdatedAt, every: '1s' }, false);
    const schedule = linked.schedule('incidents');
    const resultAfter = async (actions: number) =>
      resultOf(temporal.client, await startedAfter(schedule, actions));

    expect((await resultAfter(0)).fullRead).toBe(true);
    for (let round = 0; round < 3; round += 1) {
      changeSome(sandbox);
      const { numActionsTaken } = (await schedule.describe()).info;
      const { fullRead, read } = await resultAfter(numActionsTaken);
      expect(fullRead).toBe(false);
      expect(read.pages).toBeLessThanOrEqual(2);
      await expectTruth(sandbox, linked.destination, ['incidents']);
    }
  });
});

type World = {
  readonly linked: Linked;
  readonly sandbox: Sandbox;
  /** Runs the table's schedule once. */
  readonly run: () => Promise<unknown>;
};

const viewer = { roles: ['viewer'] };
const seesPrivate = { roles: ['viewer', 'global_access'] };

/** What happens to a table between two runs, and how many full reads that costs, including the next run. */
const disturbances: readonly (readonly [
  what: string,
  cost: number,
  disturb: (world: World) => Promise<unknown>,
  hasOwnWorkers?: true,
])[] = [
  ['nothing', 0, async () => {}],
  [
    'its folder is deleted',
    1,
    ({ linked }) => rm(join(linked.destination, 'incidents'), { recursive: true }),
  ],
  ['the whole destination is deleted', 1, ({ linked }) => rm(linked.destination, { recursive: true })],
  ['its schedule is deleted and created again', 0, ({ linked }) => linked.link('incidents', byUpdatedAt)],
  [
    'its sync method changes to full_refresh and back',
    2,
    async ({ linked, run }) => {
      await linked.link('incidents', { syncMethod: 'full_refresh', every: '1h' });
      await run();
      await linked.link('incidents', byUpdatedAt);
    },
  ],
  [
    'its incremental field changes to created_at, which misses updates, and back',
    2,
    async ({ linked, sandbox, run }) => {
      await linked.link('incidents', { ...byUpdatedAt, incrementalField: 'created_at' });
      await run();
      changeSome(sandbox);
      await run();
      await linked.link('incidents', byUpdatedAt);
    },
  ],
  [
    'the key loses access to private incidents, and regains it',
    2,
    async ({ linked, sandbox, run }) => {
      sandbox.setIdentity(viewer);
      await run();
      await expectTruth(sandbox, linked.destination, ['incidents']);
      sandbox.setIdentity(seesPrivate);
    },
    // A worker that has asked whose key it is reuses the answer for an hour.
    true,
  ],
  [
    'someone restores an older version of it',
    1,
    ({ linked }) =>
      changeWithDeltaRs(join(linked.destination, 'incidents'), { change: 'restore', version: 0 }),
  ],
  [
    'someone deletes rows from it',
    1,
    ({ linked }) =>
      changeWithDeltaRs(join(linked.destination, 'incidents'), {
        change: 'delete',
        predicate: "mode = 'standard'",
      }),
  ],
  [
    'someone compacts it',
    0,
    ({ linked }) => changeWithDeltaRs(join(linked.destination, 'incidents'), { change: 'optimize' }),
  ],
  [
    'another Temporal server, which has no earlier runs, syncs it',
    0,
    async ({ linked, sandbox }) => {
      const method = { syncMethod: 'incremental', incrementalField: 'updated_at' } as const;
      const [outcome] = await sync(temporal, sandbox, linked.destination, { tables: ['incidents'], method });
      expect(outcome).toMatchObject({ status: 'synced', result: { fullRead: false } });
    },
  ],
  ['it is reset by a resync', 1, ({ linked }) => linked.warehouse.resetState(tableNamed('incidents'))],
];

it.each(
  disturbances.map(([what, cost, disturb, own]) => ({ what, cost, disturb, hasOwnWorkers: own === true })),
)('matches the account again after $what, for $cost full reads', async ({ cost, disturb, hasOwnWorkers }) => {
  const sandbox = await sandboxOf();
  const linked = await link(temporal, sandbox, { incidents: byUpdatedAt });
  const sync = () => linked.run('incidents');
  const served = hasOwnWorkers ? () => linked.serving(sync) : sync;
  const play = async () => {
    await served();
    changeSome(sandbox);
    await served();

    let fullReads = 0;
    const run = async () => {
      if ((await served()).fullRead) fullReads += 1;
    };
    changeSome(sandbox);
    await disturb({ linked, sandbox, run });
    changeSome(sandbox);
    await run();
    await expectTruth(sandbox, linked.destination, ['incidents']);

    // From now on runs are as cheap as before.
    changeSome(sandbox);
    await run();
    await expectTruth(sandbox, linked.destination, ['incidents']);
    expect(fullReads).toBe(cost);
  };
  await (hasOwnWorkers ? play() : linked.serving(play));
});
