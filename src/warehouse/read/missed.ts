import type { TableShape } from '../../tables/table.ts';
import { stagingOf } from '../commit/part-writer.ts';
import { keyOf } from '../commit/key.ts';
import { numbered, partRows } from '../commit/part-rows.ts';
import { dataKey, DeltaLog } from '../delta/log.ts';
import { fieldsOf, rowsOfFiles } from '../delta/schema.ts';
import { duckTypes, identifier } from '../duckdb.ts';
import { withinRoom } from '../store/store.ts';
import type { ComparedParents } from '../committed-rows.ts';
import type { StagedRun } from '../warehouse.ts';
import type { World } from '../world.ts';
import { pickedParents } from './parents.ts';

/**
 * Counts the rows that a full read adds, changes or drops, although their parent is not among the picked ones, which a
 * reading by changes would have read.
 */
export async function missedRows(
  world: World,
  table: TableShape,
  { table: parent, by, pick, completeTo }: ComparedParents,
  { chainId, parts }: StagedRun,
): Promise<number> {
  const snapshot = await new DeltaLog(world, table.name).snapshot();
  const picked = await pickedParents(world, parent, pick);
  if (!snapshot || !picked) return 0;
  const files = [...snapshot.files.values()].map((add) => ({
    key: dataKey(table.name, add),
    bytes: add.size,
  }));
  const staged = parts.map(({ name, bytes }) => ({ key: stagingOf(table, chainId) + name, bytes }));
  const key = keyOf(table);
  const compared = Object.entries(table.columns).filter(([, { volatile }]) => !volatile);
  const values = compared.map(
    ([name, { type }]) => `${identifier(name)}::${duckTypes[type]} AS ${identifier(name)}`,
  );
  const columns = `${key.select}, md5(to_json([${compared.map(([name]) => `${identifier(name)}::VARCHAR`).join(', ')}])::VARCHAR) AS value, ${identifier(by)} AS parent, ${'created_at' in table.columns ? 'epoch_ms(created_at)' : '0'} AS created`;
  return world.store.withLocal((local) =>
    world.duckDb.job(async (session) => {
      await session.run('CREATE TEMP TABLE picked (key VARCHAR)');
      for (let from = 0; from < picked.length; from += 1_000) {
        const some = picked.slice(from, from + 1_000).map((one) => `('${one.replaceAll("'", "''")}')`);
        await session.run(`INSERT INTO picked VALUES ${some.join(', ')}`);
      }
      const shape = `${key.definitions}, value VARCHAR, parent VARCHAR, created BIGINT`;
      await session.run(`CREATE TEMP TABLE held (${shape})`);
      await session.run(`CREATE TEMP TABLE found (${shape}, part UBIGINT, pos BIGINT)`);
      for (const group of withinRoom(files, local.room)) {
        const rows = rowsOfFiles(
          table.name,
          fieldsOf(snapshot.metadata),
          await local.paths(group.map((file) => file.key)),
        );
        await session.run(
          `INSERT INTO held SELECT ${columns} FROM (SELECT ${values.join(', ')} FROM (${rows}))`,
        );
      }
      for (const group of withinRoom(numbered(staged), local.room)) {
        const paths = await local.paths(group.map((file) => file.key));
        const rows = partRows(
          paths,
          group.map(({ number }) => number),
        );
        await session.run(`
          INSERT INTO found SELECT ${columns}, "__part", "__row"
          FROM (SELECT ${values.join(', ')}, "__part", "__row" FROM (${rows}))`);
      }
      const [counted] = await session.rows(`
        SELECT count(*) AS missed
        FROM held FULL JOIN (
          FROM found QUALIFY row_number() OVER (PARTITION BY ${key.names} ORDER BY part DESC, pos DESC) = 1
        ) AS found USING (${key.names})
        WHERE held.value IS DISTINCT FROM found.value
          AND coalesce(found.parent, held.parent) NOT IN (SELECT key FROM picked)
          AND (held.value IS NOT NULL OR found.created <= ${completeTo})`);
      return Number(counted?.['missed']);
    }),
  );
}
