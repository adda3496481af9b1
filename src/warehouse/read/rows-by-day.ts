import type { TableShape } from '../../tables/table.ts';
import { DeltaLog, dataKey } from '../delta/log.ts';
import { identifier, parquetFiles } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { RowsByDay } from '../committed-rows.ts';
import type { World } from '../world.ts';

const dayMs = 86_400_000;

/** Counts the rows of a table by the UTC day of a timestamp column, from that column of its data files alone. */
export async function rowsByDay(world: World, table: TableShape, column: string): Promise<RowsByDay> {
  const snapshot = await new DeltaLog(world, table.name).snapshot();
  const perDay = new Map<number, number>();
  let undated = 0;
  if (!snapshot) return { perDay, undated };
  const objects = [...snapshot.files.values()].map((add) => ({
    key: dataKey(table.name, add),
    bytes: add.size,
  }));
  await world.store.withLocal((local) =>
    world.duckDb.job(async (session) => {
      for (const group of withinRoom(objects, local.room)) {
        const paths = await local.paths(group.map(({ key }) => key));
        const days = await session.rows(`
          SELECT (epoch_ms(${identifier(column)}) // ${dayMs})::INTEGER AS day, count(*) AS rows
          FROM ${parquetFiles(paths)}
          GROUP BY day`);
        for (const { day, rows } of days) {
          if (day === null) undated += Number(rows);
          else perDay.set(Number(day), (perDay.get(Number(day)) ?? 0) + Number(rows));
        }
      }
    }),
  );
  return { perDay, undated };
}
