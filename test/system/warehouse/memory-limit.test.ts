import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { toFailure } from '../../../activities/failures.ts';
import { DuckDb } from '../../../src/warehouse/duckdb.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { committed, openPlace, readRows, things } from '../../helpers/warehouse.ts';

/** Rows of some 3 kB that do not compress, in batches. */
function batchesOf(rows: number, mark: string): { readonly id: string; readonly name: string }[][] {
  const text = (id: number) =>
    Array.from({ length: 48 }, (_, n) =>
      createHash('sha256').update(`${mark} ${id} ${n}`).digest('hex'),
    ).join('');
  return Array.from({ length: 5 }, (_, batch) =>
    Array.from({ length: rows / 5 }, (_, n) => {
      const id = batch * (rows / 5) + n;
      return { id: String(id).padStart(6, '0'), name: text(id) };
    }),
  );
}

it(
  'a merge that does not fit into the memory is done in pieces, with the same rows',
  { timeout: 120_000 },
  async () => {
    const place = await openPlace();
    const engine = new DuckDb({ makeSpillFolder: temporaryFolder, memory: 128e6 });
    onTestFinished(() => engine.close());
    const { destination, store } = place;
    const small = { ...place, warehouse: await openWarehouse(store, { destination, engine }) };
    const rows = 20_000;
    // Written with enough memory, so that there is one large file.
    await committed(place, things, batchesOf(rows, 'before'), { fullRead: true });
    const after = batchesOf(rows, 'after');
    const outcome = await committed(small, things, after, { fullRead: true });
    expect(outcome).toMatchObject({ updated: rows, inserted: 0, dropped: 0, rows });
    const found = await readRows(place, things);
    expect(found.map(({ id, name }) => ({ id, name }))).toEqual(after.flat());
  },
);

it('a limit that is too small even for that is reported as such, not as a defect', async () => {
  const engine = new DuckDb({ makeSpillFolder: temporaryFolder, memory: 10e6 });
  onTestFinished(() => engine.close());
  const error: unknown = await engine
    .jobsOf('test')
    .job((session) => session.run(`CREATE TEMP TABLE all_of_it AS SELECT list(range) FROM range(10000000)`), {
      repeatable: true,
    })
    .catch((error: unknown) => error);
  expect(error).toMatchObject({ name: 'MemoryLimitError', retry: 'later' });
  expect((error as Error).message).toContain('10 MB');
  expect(toFailure(error)).toMatchObject({ type: 'MemoryLimitError', nonRetryable: false });
});

// Linux only: elsewhere DuckDB uses another allocator, and there is no /proc.
it.runIf(existsSync('/proc/self/status'))(
  'heavy jobs keep memory for the threads in use only, and none when they have ended',
  async () => {
    const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const script = here('../../helpers/memory-after-jobs.ts');
    const args = ['--import', here('../../helpers/run-typescript.mjs'), script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { after, idle } = JSON.parse(stdout) as { readonly after: number; readonly idle: number };
    // More than 300 MB if each of libuv's threads has kept what it needed.
    expect(after).toBeLessThan(250e6);
    expect(idle).toBeLessThan(50e6);
  },
);
