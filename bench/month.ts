import { tmpdir } from 'node:os';

import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { literal } from '../src/warehouse/duckdb.ts';
import { openDuckDb } from '../src/warehouse/open-duckdb.ts';
import { tableFiles } from '../src/warehouse/read/table-files.ts';
import { type Figure, mib } from './figures.ts';
import { benchSyncs } from './sync.ts';

const alerts = 100_000;

/** The data that a reader needs for the alerts of one month: the row groups whose `created_at` may be in it. */
export async function monthFigures(): Promise<Figure[]> {
  const groups: { bytes: number; isInMonth: boolean }[] = [];
  await benchSyncs({ sizes: { alerts }, limits: 'off' }, [{ alerts: undefined }], async (destination) => {
    groups.push(...(await groupsOf(destination)));
  });
  const sum = (some: typeof groups) => some.reduce((bytes, group) => bytes + group.bytes, 0);
  const whole = sum(groups);
  const read = groups.filter(({ isInMonth }) => isInMonth);
  return [
    { what: `${alerts} alerts, all row groups`, measured: `${mib(whole)} in ${groups.length}` },
    {
      what: 'a month in the middle of them',
      measured: `${mib(sum(read))} in ${read.length}`,
      reach: '≤ 0.30 of the whole',
      ratio: sum(read) / whole / 0.3,
    },
  ];
}

/** The row groups of the table, and which of them a reader cannot skip for a month in the middle of its time. */
async function groupsOf(destination: string): Promise<{ bytes: number; isInMonth: boolean }[]> {
  const store = folderStore(destination);
  const { keys } = await tableFiles(store, 'alerts');
  const instance = await openDuckDb({ spill: tmpdir() });
  const connection = await instance.connect();
  try {
    const found = await store.withLocal(async (local) => {
      const paths = (await local.paths(keys)).map(literal).join(', ');
      return connection.runAndReadAll(`
        WITH groups AS (
          SELECT
            sum(total_compressed_size) AS bytes,
            min(TRY_CAST(stats_min_value AS TIMESTAMPTZ)) FILTER (path_in_schema = 'created_at') AS earliest,
            max(TRY_CAST(stats_max_value AS TIMESTAMPTZ)) FILTER (path_in_schema = 'created_at') AS latest
          FROM parquet_metadata([${paths}])
          GROUP BY file_name, row_group_id
        ), month AS (
          SELECT epoch_ms((epoch_ms(min(earliest)) + epoch_ms(max(latest))) // 2)::TIMESTAMPTZ AS since FROM groups
        )
        SELECT bytes, latest >= since AND earliest < since + INTERVAL 30 DAY AS is_in_month FROM groups, month`);
    });
    return found
      .getRowObjectsJson()
      .map(({ bytes, is_in_month: isInMonth }) => ({ bytes: Number(bytes), isInMonth: isInMonth === true }));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
