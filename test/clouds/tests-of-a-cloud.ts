import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { probeStore } from '../../src/warehouse/store/probe.ts';
import { bucketFolder, destinationAt } from '../helpers/bucket.ts';
import { cli } from '../helpers/cli.ts';
import { readWithDeltaRs, readWithPolars } from '../helpers/delta-reader.ts';
import { sync } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';
import { openPlace, readRows, things } from '../helpers/warehouse.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Tests that must pass in every cloud, with all requests going to an emulator of it. The tests that write objects as
 * files, or date them, run with versitygw only: Azurite has no such files, and fake-gcs-server does not read them.
 */
export function testsOfACloud(): void {
  it('takes commits from several processes at once; delta-rs and Polars find each exactly once', async () => {
    const place = await openPlace();
    const node = ['--import', here('../helpers/run-typescript.mjs'), here('../helpers/commit-many.ts')];
    const names = ['one', 'two', 'three'];
    const rows = 6;
    await Promise.all(
      names.map((name) =>
        promisify(execFile)(process.execPath, [...node, place.destination, name, `${rows}`]),
      ),
    );
    const expected = names
      .flatMap((name) => Array.from({ length: rows }, (_, row) => `${name}-${row}`))
      .sort();
    const read = await readWithDeltaRs(place.folderOf(things));
    expect(read.rows.map(({ id }) => id)).toEqual(expected);
    expect(read.version).toBe(expected.length - 1);
    expect((await readWithPolars(place.folderOf(things))).rows.map(({ id }) => id)).toEqual(expected);
    expect((await readRows(place, things)).map(({ id }) => id)).toEqual(expected);
    // The files that the losers of a race had uploaded are deleted again.
    const files = (await place.store.list(`${things.name}/`)).filter(({ key }) =>
      /\/[^/]+\.parquet$/.test(key),
    );
    expect(files.filter(({ key }) => !key.includes('_delta_log'))).toHaveLength(expected.length);
  });

  it('is accepted by each of ten probes', async () => {
    const { store, destination } = await openPlace();
    for (let probe = 0; probe < 10; probe += 1) await probeStore(store, destination);
    expect(await store.list('')).toEqual([]);
  });

  it('is filled by a sync, and read by delta-rs and a query', async () => {
    quietRuntime();
    const temporal = await connectToTestServer();
    const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 700, alerts: 900, users: 20 } });
    onTestFinished(() => sandbox.stop());
    const root = join(bucketFolder()!, 'synced');
    await mkdir(root);
    const tables = ['incidents', 'alerts', 'users'] as const;
    for (const name of ['first', 'changed']) {
      sandbox.change('incidents', sandbox.idAt('incidents', 3), { name });
      const outcomes = await sync(temporal, sandbox, destinationAt(root), { tables, batchRows: 250 });
      expect(outcomes.filter(({ status }) => status !== 'synced')).toEqual([]);
      await expectTruth(sandbox, root, tables);
    }
    const counting = 'SELECT count(*)::INTEGER AS rows FROM incidents JOIN users ON true';
    const { out } = await cli(['query', counting, '--from', destinationAt(root), '--json']);
    expect(JSON.parse(out)).toEqual([{ rows: 700 * 20 }]);
  });
}
