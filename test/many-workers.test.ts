import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { canServeS3, serveBucket } from './helpers/bucket.ts';
import { startCommand } from './helpers/command.ts';
import { link } from './helpers/linked.ts';
import { connectToTestServer } from './helpers/temporal.ts';
import { expectTruth } from './helpers/truth.ts';

const temporal = await connectToTestServer();
/** Where Go is missing, the workers share a folder. */
const bucket = canServeS3() ? await serveBucket() : undefined;

/** A few in every test run; `npm run torture` does 200. */
const kills = Number(process.env['TORTURE_KILLS'] ?? 3);
const seed = Number(process.env['TORTURE_SEED'] ?? Date.now() % 1_000_000);

it(
  `four workers on one queue, one key and one ${bucket ? 'bucket' : 'folder'} keep the tables true though ${kills} times one of them is killed (seed ${seed})`,
  { timeout: 180_000 + kills * 10_000 },
  async () => {
    const sizes = { incidents: 700, incident_updates: 3_000, alerts: 2_500, users: 40 };
    const sandbox = await startSandbox({ limits: 'off', latencyMs: 10, sizes });
    onTestFinished(() => sandbox.stop());
    const incremental = { sync: 'incremental', incrementalField: 'updated_at', every: '1s' } as const;
    const full = { sync: 'full_refresh', every: '1s' } as const;
    const settings = { incidents: incremental, alerts: incremental, incident_updates: full, users: full };
    const tables = ['incidents', 'alerts', 'incident_updates', 'users'] as const;
    const linked = await link(temporal, sandbox, {}, bucket && (await mkdtemp(join(bucket.folder, 'many-'))));
    const { apiKey } = linked.settings;
    if (!('env' in apiKey)) throw new Error('the test has its key in a variable');
    for (const table of tables) await linked.link(table, settings[table], false);

    const startWorker = () =>
      startCommand(['worker', '--settings', linked.file], {
        TEMPORAL_ADDRESS: temporal.address,
        [apiKey.env]: sandbox.key,
      });
    const workers = Array.from({ length: 4 }, startWorker);
    await Promise.all(workers.map((worker) => worker.says('worker started')));
    const moments = fc.sample(
      fc.record({
        killed: fc.nat(workers.length - 1),
        afterMs: fc.nat(1_500),
        // The one that takes its place may come at once, or when the others have taken over.
        backAfterMs: fc.nat(3_000),
        index: fc.nat(sizes.incidents - 1),
      }),
      { numRuns: kills, seed },
    );
    const back: Promise<void>[] = [];
    for (const { killed, afterMs, backAfterMs, index } of moments) {
      sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed after ${afterMs}` });
      sandbox.change('alerts', sandbox.idAt('alerts', index), { title: `changed after ${afterMs}` });
      sandbox.create('alerts');
      // The moments of a kill and of the return are what varies; nothing waits for them to be right.
      await sleep(afterMs);
      const worker = workers[killed]!;
      worker.child.kill('SIGKILL');
      back.push(
        worker.ended.then(async () => {
          await sleep(backAfterMs);
          workers[killed] = startWorker();
        }),
      );
      // All may be away for a moment, as long as one comes back.
      if (back.length % workers.length === 0) await Promise.all(back);
    }
    await Promise.all(back);

    const results = await Promise.all(tables.map((table) => linked.run(table)));
    expect(results.filter(({ rows }) => rows === 0)).toEqual([]);
    await expectTruth(sandbox, linked.destination, tables);
  },
);
