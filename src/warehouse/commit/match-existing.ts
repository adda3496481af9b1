import type { Add } from '../delta/actions.ts';
import { dataKey } from '../delta/log.ts';
import { statisticsIn } from '../delta/statistics.ts';
import { identifier, literal, parquetFiles } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import { haveUniqueKeys, type Key } from './key.ts';
import type { MergeRequest } from './merge-request.ts';
import { numbered } from './part-rows.ts';

/**
 * Compares the keys of the table's rows with those of `winners`, which it drops. Leaves three tables:
 * - `matched`: the rows that stay, one for each key, with the place of its winner.
 * - `dropped`: the rows that go.
 * - `inserted`: the winners whose key is not in the table.
 * @returns the data files that may hold a staged key; their numbers in the tables are their places in this list.
 */
export async function matchExisting(request: MergeRequest): Promise<readonly Add[]> {
  const { session, fullRead, isReplaced, files, key } = request;
  const candidates = fullRead || isReplaced !== undefined ? files : await filesWithStagedKeys(request);
  await findExisting(request, candidates);
  // Another writer may have doubled a key; then the first row stays.
  const first = (await haveUniqueKeys(session, 'existing', key))
    ? ''
    : `QUALIFY row_number() OVER (PARTITION BY ${key.names} ORDER BY existing.file, existing.pos) = 1`;
  await session.run(`
    CREATE TEMP TABLE matched AS
    SELECT file, existing.pos AS pos, part, winners.pos AS staged_pos
    FROM existing JOIN winners USING (${key.names}) ${first}`);
  await session.run(`
    CREATE TEMP TABLE dropped AS
    SELECT file, pos FROM existing ANTI JOIN matched USING (file, pos)`);
  await session.run(`
    CREATE TEMP TABLE inserted AS
    SELECT part, pos FROM winners ANTI JOIN existing USING (${key.names})`);
  await session.run('DROP TABLE existing');
  await session.run('DROP TABLE winners');
  return candidates;
}

/**
 * Leaves the table `existing`: the rows of these files that have a staged key or are replaced; in a full read, all
 * their rows.
 */
async function findExisting(
  { session, local, table, key, fullRead, isReplaced = 'false', rewrite }: MergeRequest,
  files: readonly Add[],
): Promise<void> {
  await session.run(`CREATE TEMP TABLE existing (${key.definitions}, file UBIGINT, pos BIGINT)`);
  const objects = files.map((add) => ({ key: dataKey(table, add), bytes: add.size }));
  const concerned = fullRead
    ? ''
    : `WHERE is_replaced OR (${key.names}) IN (SELECT (${key.names}) FROM winners)`;
  for (const group of withinRoom(numbered(objects), local.room)) {
    const paths = await local.paths(group.map((object) => object.key));
    const rows = rewrite
      ? keysUnderOldColumns(key, paths)
      : `SELECT ${key.select}, ${isReplaced} AS is_replaced, file_index, file_row_number FROM ${parquetFiles(paths)}`;
    await session.run(`
      INSERT INTO existing
      SELECT ${key.names}, file_index + ${group[0]!.number}, file_row_number
      FROM (${rows}) ${concerned}`);
  }
}

/** If the columns have changed, the files may lack a column of the key, or have it with values of another type. */
function keysUnderOldColumns({ columns }: Key, paths: readonly string[]): string {
  const none = columns.map(({ column }) => `NULL AS ${identifier(column)}`);
  const cast = columns.map(
    ({ column, name, type }) => `TRY_CAST(${identifier(column)} AS ${type}) AS ${name}`,
  );
  return `
    SELECT ${cast.join(', ')}, file_index, file_row_number
    FROM (
      SELECT ${none.join(', ')} WHERE false
      UNION ALL BY NAME
      SELECT *, file_index, file_row_number FROM ${parquetFiles(paths, ', union_by_name = true')}
    )`;
}

/**
 * The files whose statistics do not rule out a staged key, by the range of the key's first column. DuckDB compares the
 * texts: it orders them by their bytes, as Parquet does and JavaScript does not.
 */
async function filesWithStagedKeys({ session, files, key }: MergeRequest): Promise<readonly Add[]> {
  if (files.length === 0) return files;
  const { column, name, type } = key.columns[0];
  const ranges = files.map((add, number) => {
    const { minValues, maxValues } = statisticsIn(add);
    const [low, high] = [minValues?.[column], maxValues?.[column]];
    const isKnown = isBound(low, type) && isBound(high, type);
    return `(${number}, ${isKnown ? `${literal(String(low))}, ${literal(String(high))}` : 'NULL, NULL'})`;
  });
  const found = await session.rows(`
    SELECT number
    FROM (VALUES ${ranges.join(', ')}) AS ranges(number, low, high)
    WHERE low IS NULL
      OR EXISTS (SELECT 1 FROM winners WHERE ${name} BETWEEN low::${type} AND high::${type})
    ORDER BY number`);
  return found.map(({ number }) => files[Number(number)]!);
}

/** Not an integer that may have been rounded when it was parsed from JSON, nor a text that SQL cannot contain. */
function isBound(bound: unknown, type: string): boolean {
  return type === 'BIGINT'
    ? Number.isSafeInteger(bound)
    : type === 'VARCHAR' && typeof bound === 'string' && !bound.includes('\0');
}
