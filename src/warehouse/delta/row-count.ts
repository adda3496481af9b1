import { parquetFiles } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { World } from '../world.ts';
import type { Add } from './actions.ts';
import { dataKey } from './log.ts';
import { statisticsIn } from './statistics.ts';

/**
 * The number of rows in data files: from their statistics or, if another writer has left those out, from the files
 * themselves.
 */
export async function rowCount(
  { store, duckDb }: Pick<World, 'store' | 'duckDb'>,
  table: string,
  files: Iterable<Add>,
): Promise<number> {
  let counted = 0;
  const uncounted: { readonly key: string; readonly bytes: number }[] = [];
  for (const add of files) {
    const { numRecords } = statisticsIn(add);
    if (numRecords === undefined) uncounted.push({ key: dataKey(table, add), bytes: add.size });
    else counted += numRecords;
  }
  if (uncounted.length === 0) return counted;
  return store.withLocal((local) =>
    duckDb.job(
      async (session) => {
        let rows = counted;
        for (const group of withinRoom(uncounted, local.room)) {
          const source = parquetFiles(await local.paths(group.map(({ key }) => key)));
          const [counts] = await session.rows(`SELECT count(*) AS rows FROM ${source}`);
          rows += Number(counts?.['rows']);
        }
        return rows;
      },
      { weight: 'light' },
    ),
  );
}
