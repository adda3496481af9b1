import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { toFailure } from '../../../activities/failures.ts';
import { DestinationError } from '../../../src/errors.ts';
import { DuckDb } from '../../../src/warehouse/duckdb.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { committed, openPlace, things } from '../../helpers/warehouse.ts';

// Linux only: a file on which every write meets a full disk.
it.runIf(existsSync('/dev/full'))('a full disk is reported as ENOSPC, which is retried', async () => {
  const engine = new DuckDb({ makeSpillFolder: temporaryFolder });
  onTestFinished(() => engine.close());
  const duckDb = engine.jobsOf('test');
  const write = `COPY (SELECT repeat('x', 1000) || range AS text FROM range(10000)) TO '/dev/full' (FORMAT parquet)`;
  const error: unknown = await duckDb.job((session) => session.run(write)).catch((error: unknown) => error);
  expect(toFailure(error)).toMatchObject({ type: 'ENOSPC', nonRetryable: false });
});

it('an error of the destination names the data file that is missing', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a', name: 'x' }]]);
  const folder = place.folderOf(things);
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.parquet'));
  await rm(join(folder, name!));
  const merging = committed(place, things, [[{ id: 'a', name: 'y' }]]);
  await expect(merging).rejects.toBeInstanceOf(DestinationError);
  await expect(merging).rejects.toThrow(`${name} is missing.`);
});
