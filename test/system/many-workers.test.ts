import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { canServeS3, serveBucket } from '../helpers/bucket.ts';
import { disturb, kills, restless, seed, tables } from '../helpers/restless.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';

const temporal = await connectToTestServer();
/** Without Go there is no bucket, and the workers share a folder. */
const bucket = canServeS3() ? await serveBucket() : undefined;

it(
  `four workers on one queue, one key and one ${bucket ? 'bucket' : 'folder'} keep the tables right while one of them is killed ${kills} times (seed ${seed})`,
  { timeout: 180_000 + kills * 10_000 },
  async () => {
    const sizes = { incidents: 700, incident_updates: 3_000, alerts: 2_500, users: 40 };
    const place = bucket && (await mkdtemp(join(bucket.folder, 'many-')));
    const { sandbox, linked, startWorker } = await restless(temporal, sizes, place);
    const workers = Array.from({ length: 4 }, startWorker);
    await Promise.all(workers.map((worker) => worker.says('worker started')));
    const moments = fc.sample(
      fc.record({
        killed: fc.nat(workers.length - 1),
        afterMs: fc.nat(1_500),
        // Its replacement may start at once, or after the others have taken over.
        backAfterMs: fc.nat(3_000),
        index: fc.nat(sizes.incidents - 1),
      }),
      { numRuns: kills, seed },
    );
    const back: Promise<void>[] = [];
    for (const { killed, afterMs, backAfterMs, index } of moments) {
      disturb(sandbox, index, afterMs);
      // This only varies the moment of the kill and of the replacement; the test passes at any time.
      await sleep(afterMs);
      const worker = workers[killed]!;
      worker.child.kill('SIGKILL');
      back.push(
        worker.ended.then(async () => {
          await sleep(backAfterMs);
          workers[killed] = startWorker();
        }),
      );
      // All workers may be gone for a moment, as long as one comes back.
      if (back.length % workers.length === 0) await Promise.all(back);
    }
    await Promise.all(back);

    const results = await Promise.all(tables.map((table) => linked.run(table)));
    expect(results.filter(({ rows }) => rows === 0)).toEqual([]);
    await expectTruth(sandbox, linked.destination, tables);
  },
);
