import { expect, it } from 'vitest';

import type { Add } from '../../../src/warehouse/delta/actions.ts';
import { filesToCompact } from '../../../src/warehouse/upkeep/compaction.ts';

/** A small file whose lowest key is this; without one, as another writer may leave it. */
function fileFrom(lowest?: string | number): Add {
  const stats = { numRecords: 1, ...(lowest !== undefined && { minValues: { key: lowest } }) };
  return {
    path: `file-${lowest ?? 'unknown'}`,
    partitionValues: {},
    size: 1_000,
    modificationTime: 0,
    dataChange: true,
    stats: JSON.stringify(stats),
  };
}

it.each([
  ['numbers', [10, 9, -2, 100, 11, 1, 90], [-2, 1, 9, 10, 11, 90, 100]],
  ['texts', ['b', 'a10', 'a9', 'c', 'B', 'a', 'd'], ['B', 'a', 'a10', 'a9', 'b', 'c', 'd']],
])('small files are compacted in the order of their keys, which are %s', (_, lowest, inOrder) => {
  const files = [...lowest.map((key) => fileFrom(key)), fileFrom()];
  const chosen = filesToCompact({ primaryKey: ['key', 'other'] }, files);
  expect(chosen?.map(({ path }) => path)).toEqual(
    [fileFrom(), ...inOrder.map(fileFrom)].map(({ path }) => path),
  );
});

it('seven small files are not compacted', () => {
  const files = [1, 2, 3, 4, 5, 6, 7].map((key) => fileFrom(key));
  expect(filesToCompact({ primaryKey: ['key'] }, files)).toBeUndefined();
});
