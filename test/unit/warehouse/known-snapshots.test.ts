import { expect, it } from 'vitest';
import { KnownSnapshots } from '../../../src/warehouse/delta/known-snapshots.ts';
import type { Snapshot } from '../../../src/warehouse/delta/snapshot.ts';

const names = Array.from({ length: 20 }, (_, n) => `table ${n}`);
const file = { key: '_delta_log/00000000000000000007.json', bytes: 100, writtenAt: 0 };

function snapshotWith(schemaString: string): Snapshot {
  const format = { provider: 'parquet', options: {} };
  return {
    version: 7,
    protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    metadata: { id: 'id', format, schemaString, partitionColumns: [], configuration: {} },
    files: new Map(),
    tombstones: new Map(),
    txns: new Map(),
  };
}

function foundOf(schemaOf: (name: string) => string): number {
  const known = new KnownSnapshots(12_000);
  for (const name of names) known.keep(name, snapshotWith(schemaOf(name)), file);
  return names.filter((name) => known.of(name, [file])?.metadata.schemaString === schemaOf(name)).length;
}

it('a schema that many tables have takes its room once, so that a thousand connections fit', () => {
  expect(foundOf(() => 'x'.repeat(5_000))).toBe(20);
  expect(foundOf((name) => name.padEnd(5_000, 'x'))).toBe(2);
});

it('a snapshot comes back as it was kept', () => {
  const known = new KnownSnapshots();
  const add = {
    path: 'a',
    partitionValues: {},
    size: 1,
    modificationTime: 2,
    dataChange: true,
    stats: '{"x":"\uffff"}',
  };
  const remove = { path: 'b', deletionTimestamp: 3, dataChange: false };
  const txn = { appId: 'c', version: 4 };
  const snapshot: Snapshot = {
    ...snapshotWith('schema'),
    files: new Map([['a', add]]),
    tombstones: new Map([['b', remove]]),
    txns: new Map([['c', txn]]),
  };
  known.keep('table', snapshot, file);
  expect(known.of('table', [file])).toEqual(snapshot);
});
