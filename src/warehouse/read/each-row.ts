import type { TableShape } from '../../tables/table.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import { statisticsIn } from '../delta/statistics.ts';
import { syncedAt } from '../delta/target-schema.ts';
import { identifier } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { RowsToRead, SeenVersion, TypedRow } from '../committed-rows.ts';
import type { World } from '../world.ts';

/**
 * Hands over the rows of a version of a table, a few thousand at a time.
 * @returns `false` if the log no longer has that version
 */
export async function eachRow(
  world: World,
  table: Pick<TableShape, 'name'>,
  { tableId, version }: SeenVersion,
  { columns, since, signal }: RowsToRead,
  use: (rows: readonly TypedRow[]) => Promise<void>,
): Promise<boolean> {
  const snapshot = await new DeltaLog(world, table.name).snapshot(version);
  if (snapshot?.metadata.id !== tableId) return false;
  const fields = fieldsOf(snapshot.metadata);
  const files = [...snapshot.files.values()]
    .filter((add) => isWrittenAfter(statisticsIn(add).maxValues?.[syncedAt], since))
    .map((add) => ({ key: dataKey(table.name, add), bytes: add.size }));
  const present = new Set(fields.map(({ name }) => name));
  const values = columns.map((column) => (present.has(column) ? identifier(column) : 'NULL'));
  const written = `epoch_ms(${identifier(syncedAt)})`;
  const isWanted = since === undefined ? 'true' : `${written} > ${since}`;
  await world.store.withLocal((local) =>
    world.duckDb.job(async (session) => {
      for (const group of withinRoom(files, local.room)) {
        const source = rowsOfFiles(table.name, fields, await local.paths(group.map(({ key }) => key)));
        const select = `SELECT ${[...values, written].join(', ')} FROM (${source}) WHERE ${isWanted}`;
        for await (const rows of session.stream(select)) {
          signal.throwIfAborted();
          await use(rows.map((row) => ({ cells: row.slice(0, -1), syncedAt: Number(row.at(-1) ?? 0) })));
        }
      }
    }),
  );
  return true;
}

/** Whether a file may have a row that was written after a time. Another writer may have left out the bounds. */
function isWrittenAfter(latest: unknown, since: number | undefined): boolean {
  if (since === undefined || typeof latest !== 'string') return true;
  const time = Date.parse(latest);
  return Number.isNaN(time) || time > since;
}
