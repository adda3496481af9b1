import { expect, it, onTestFinished } from 'vitest';
import { DeltaLog } from '../../../src/warehouse/delta/log.ts';
import { DuckDb } from '../../../src/warehouse/duckdb.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { awsVariables, setEnv } from '../../helpers/environment.ts';
import { memoryS3 } from '../../helpers/memory-s3.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

it('only one of two commits succeeds even if the store let both writers have the name', async () => {
  setEnv(awsVariables);
  const store = await openStore((await memoryS3({ condition: 'raced' })).destination);
  const engine = new DuckDb({ makeSpillFolder: temporaryFolder });
  onTestFinished(() => engine.close());
  const duckDb = engine.jobsOf('test');
  const log = new DeltaLog({ store, duckDb }, 'things');
  const commitOf = (appId: string) =>
    log.commit(undefined, [{ txn: { appId, version: 1 } }], { now: 0, since: 0 });
  const writers = ['one', 'two'];
  const committed = await Promise.all(writers.map(commitOf));
  expect(committed.filter(Boolean)).toHaveLength(1);
  const stored = await store.read('things/_delta_log/00000000000000000000.json');
  expect(JSON.parse(stored!.toString())).toMatchObject({ txn: { appId: writers[committed.indexOf(true)] } });
});
