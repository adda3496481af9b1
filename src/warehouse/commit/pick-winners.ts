import { parquetFiles } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import { haveUniqueKeys } from './key.ts';
import type { MergeRequest } from './merge-request.ts';
import { numbered } from './part-rows.ts';

/** Leaves the table `winners`: the newest staged row for each key, of those that count. */
export async function pickWinners({
  session,
  local,
  parts,
  key,
  byUpdatedAt,
  isWanted = 'true',
}: MergeRequest): Promise<void> {
  // All staged rows: their keys, and their places by part and position.
  await session.run(`
    CREATE TEMP TABLE staged (${key.definitions}, updated_at TIMESTAMPTZ, part UBIGINT, pos BIGINT)`);
  for (const group of withinRoom(numbered(parts), local.room)) {
    const source = parquetFiles(await local.paths(group.map((part) => part.key)));
    await session.run(`
      INSERT INTO staged
      SELECT ${key.select}, ${byUpdatedAt ? 'updated_at' : 'NULL'}, file_index + ${group[0]!.number}, file_row_number
      FROM ${source}
      WHERE ${isWanted}`);
  }
  if (await haveUniqueKeys(session, 'staged', key)) {
    await session.run('ALTER TABLE staged RENAME TO winners');
    return;
  }
  // An unreadable `updated_at` is null and counts as the newest, because nothing proves it older.
  await session.run(`
    CREATE TEMP TABLE winners AS
    FROM staged
    QUALIFY row_number() OVER (
      PARTITION BY ${key.names} ORDER BY updated_at DESC NULLS FIRST, part DESC, pos DESC
    ) = 1`);
  await session.run('DROP TABLE staged');
}
