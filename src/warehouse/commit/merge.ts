import { join } from 'node:path';

import { bytesPerFile, rowsPerFile, writeDataFile } from '../delta/data-file.ts';
import type { Add } from '../delta/actions.ts';
import { dataKey } from '../delta/log.ts';
import { type DuckSession, identifier, literal, parquetFiles } from '../duckdb.ts';
import { duckTypeOf, syncedAt, type TargetColumn } from '../delta/schema.ts';
import type { FileStatistics } from '../delta/statistics.ts';
import { type LocalFiles, type Store, withinRoom } from '../store/store.ts';

export type StagedPart = { readonly key: string; readonly rows: number; readonly bytes: number };

export type MergeRequest = {
  readonly table: string;
  /** Live files of the table. */
  readonly files: readonly Add[];
  /** In the order in which a later row replaces an earlier one. */
  readonly parts: readonly StagedPart[];
  readonly columns: readonly TargetColumn[];
  /** Keys that are in no part are dropped. */
  readonly fullRead: boolean;
  /** Every row is written anew. */
  readonly rewrite: boolean;
  /** Of two rows of a key the one with the greater `updated_at` is the newer. */
  readonly byUpdatedAt: boolean;
  /** Milliseconds since the epoch: `_synced_at` of the rows this merge writes. */
  readonly now: number;
  /** A local folder for the files on their way. */
  readonly scratch: string;
};

export type Merged = {
  readonly adds: readonly Add[];
  /** Files whose rows are in `adds` now, or gone. */
  readonly removed: readonly Add[];
  readonly rows: number;
  readonly rowsBefore: number;
  readonly inserted: number;
  readonly updated: number;
  readonly dropped: number;
};

/**
 * Makes one row a key of staged parts and a table's files: copy-on-write, so a file without a new, changed or
 * dropped row is left alone, and an unchanged row keeps its `_synced_at`. Only keys and positions of all rows are
 * held at once; whole rows are read a file at a time.
 */
export async function merge(
  session: DuckSession,
  store: Store,
  local: LocalFiles,
  request: MergeRequest,
): Promise<Merged> {
  const merging = new Merging(session, store, local, request);
  await merging.pickWinners();
  await merging.findExisting();
  await (request.rewrite ? merging.replaceFiles() : merging.rewriteFiles());
  await merging.insertNew();
  return merging.result();
}

class Merging {
  readonly #session: DuckSession;
  readonly #store: Store;
  readonly #local: LocalFiles;
  readonly #request: MergeRequest;
  readonly #adds: Add[] = [];
  readonly #removed: Add[] = [];
  /** The files that may hold a staged key, by the number they have in the table `existing`. */
  #candidates: readonly Add[] = [];
  #rowsBefore = 0;
  #inserted = 0;
  #updated = 0;
  #dropped = 0;

  constructor(session: DuckSession, store: Store, local: LocalFiles, request: MergeRequest) {
    this.#session = session;
    this.#store = store;
    this.#local = local;
    this.#request = request;
  }

  result(): Merged {
    return {
      adds: this.#adds,
      removed: this.#removed,
      rows: this.#rowsBefore - this.#dropped + this.#inserted,
      rowsBefore: this.#rowsBefore,
      inserted: this.#inserted,
      updated: this.#updated,
      dropped: this.#dropped,
    };
  }

  /** `winners`: the newest staged row of each key, by part and position. */
  async pickWinners(): Promise<void> {
    const { parts, byUpdatedAt } = this.#request;
    await this.#session.run(
      'CREATE TEMP TABLE staged (id VARCHAR, updated_at TIMESTAMPTZ, part UBIGINT, pos BIGINT)',
    );
    for (const group of withinRoom(numbered(parts), this.#local.room)) {
      const source = parquetFiles(await this.#local.paths(group.map(({ key }) => key)));
      await this.#session.run(
        `INSERT INTO staged SELECT id, ${byUpdatedAt ? 'updated_at' : 'NULL'}, file_index + ${group[0]!.number}, file_row_number FROM ${source}`,
      );
    }
    const [counts] = await this.#session.rows('SELECT count(*) = count(DISTINCT id) AS unique FROM staged');
    if (counts?.['unique'] === true) {
      await this.#session.run('ALTER TABLE staged RENAME TO winners');
      return;
    }
    await this.#session.run(
      'CREATE TEMP TABLE winners AS FROM staged QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS FIRST, part DESC, pos DESC) = 1',
    );
    await this.#session.run('DROP TABLE staged');
  }

  /**
   * `existing`: rows of the table that have a staged key, of a full read all; `home`: the one that stands for the
   * key from now on, with its winner; `doomed`: the others, which go.
   */
  async findExisting(): Promise<void> {
    const { table, files, fullRead } = this.#request;
    this.#candidates = fullRead ? files : await this.#withStagedKeys(files);
    this.#rowsBefore = await countRows(this.#session, this.#local, table, files);
    const rows = fullRead ? '' : 'WHERE id IN (SELECT id FROM winners)';
    await this.#session.run('CREATE TEMP TABLE existing (id VARCHAR, file UBIGINT, pos BIGINT)');
    for (const group of withinRoom(numbered(objectsOf(table, this.#candidates)), this.#local.room)) {
      const source = parquetFiles(await this.#local.paths(group.map(({ key }) => key)));
      await this.#session.run(
        `INSERT INTO existing SELECT id, file_index + ${group[0]!.number}, file_row_number FROM ${source} ${rows}`,
      );
    }
    const [counts] = await this.#session.rows(
      'SELECT count(id) = count(DISTINCT id) AS unique FROM existing',
    );
    // A key that stands twice was doubled by another writer.
    const first =
      counts?.['unique'] === true
        ? ''
        : 'QUALIFY row_number() OVER (PARTITION BY id ORDER BY existing.file, existing.pos) = 1';
    await this.#session.run(
      `CREATE TEMP TABLE home AS SELECT file, existing.pos AS pos, part, winners.pos AS staged_pos FROM existing JOIN winners USING (id) ${first}`,
    );
    await this.#session.run(
      'CREATE TEMP TABLE doomed AS SELECT file, pos FROM existing ANTI JOIN home USING (file, pos)',
    );
    await this.#session.run(
      'CREATE TEMP TABLE inserts AS SELECT part, pos FROM winners ANTI JOIN existing USING (id)',
    );
    await this.#session.run('DROP TABLE existing');
    await this.#session.run('DROP TABLE winners');
  }

  /** Files whose statistics do not rule out a staged key. DuckDB compares: it orders texts as Parquet does. */
  async #withStagedKeys(files: readonly Add[]): Promise<readonly Add[]> {
    if (files.length === 0) return files;
    const ranges = files.map((add, number) => {
      const { minValues, maxValues } = statisticsIn(add);
      const [low, high] = [minValues?.['id'], maxValues?.['id']];
      const known = [low, high].every((bound) => typeof bound === 'string' && !bound.includes('\0'));
      return `(${number}, ${known ? `${literal(String(low))}, ${literal(String(high))}` : 'NULL, NULL'})`;
    });
    const hits = await this.#session.rows(
      `SELECT number FROM (VALUES ${ranges.join(', ')}) AS ranges(number, low, high) WHERE low IS NULL OR EXISTS (SELECT 1 FROM winners WHERE id BETWEEN low::VARCHAR AND high::VARCHAR) ORDER BY number`,
    );
    return hits.map(({ number }) => files[Number(number)]!);
  }

  /** The columns changed: what was there goes, and comes back with the parts. */
  async replaceFiles(): Promise<void> {
    const counts = await this.#session.rows(
      'SELECT (SELECT count(*) FROM home) AS home, (SELECT count(*) FROM doomed) AS doomed',
    );
    this.#updated = Number(counts[0]?.['home']);
    this.#dropped = Number(counts[0]?.['doomed']);
    this.#removed.push(...this.#candidates);
    await this.#session.run('INSERT INTO inserts SELECT part, staged_pos FROM home');
  }

  /** Writes the files anew in which a row changed or goes. */
  async rewriteFiles(): Promise<void> {
    const touched = await this.#session.rows(
      `SELECT file, count(*) FILTER (stays) AS staying, count(*) FILTER (NOT stays) AS going, list(DISTINCT part) FILTER (stays) AS parts FROM (SELECT file, part, true AS stays FROM home UNION ALL SELECT file, NULL, false FROM doomed) GROUP BY file ORDER BY file`,
    );
    for (const { file, staying, going, parts } of touched) {
      const add = this.#candidates[Number(file)]!;
      this.#dropped += Number(going);
      if (Number(staying) === 0 && this.#request.fullRead) {
        this.#removed.push(add);
        continue;
      }
      const numbers = (Array.isArray(parts) ? parts.map(Number) : []).sort((a, b) => a - b);
      const joined = await this.#joined(Number(file), add, numbers);
      const [counts] =
        numbers.length === 0
          ? []
          : await this.#session.rows(`SELECT count(*) FILTER (changed) AS changed FROM (${joined.compare})`);
      const changed = Number(counts?.['changed'] ?? 0);
      if (changed === 0 && Number(going) === 0) continue;
      this.#updated += changed;
      this.#removed.push(add);
      await this.#copy(joined.select);
    }
  }

  /** A file's rows beside their staged ones: `compare` says which changed, `select` makes the rows to write. */
  async #joined(
    file: number,
    add: Add,
    parts: readonly number[],
  ): Promise<{ compare: string; select: string }> {
    const { table, columns, fullRead, byUpdatedAt, now } = this.#request;
    const { path, rows } = await this.#besideParts(file, dataKey(table, add), parts);
    const described = await this.#session.rows(`DESCRIBE SELECT * FROM ${parquetFiles([path])}`);
    const present = new Set(described.map(({ column_name: name }) => name));
    const old = columns.map(({ field }, number) => {
      const type = duckTypeOf(table, field);
      const value = present.has(field.name) ? `${identifier(field.name)}::${type}` : `NULL::${type}`;
      return `${value} AS old${number}`;
    });
    const existing = `SELECT ${old.join(', ')}, file_row_number AS old_at FROM ${parquetFiles([path])}`;
    const compared = columns.flatMap(({ staged }, number) =>
      staged === undefined ? [] : [{ staged, number }],
    );
    const news = compared.map(({ staged, number }) => `${staged} AS new${number}`);
    const staged =
      rows === undefined
        ? undefined
        : `SELECT staged.*, home.pos AS new_at FROM (SELECT ${[...news, '"__part"', '"__row"'].join(', ')} FROM (${rows})) AS staged JOIN home ON home.file = ${file} AND home.part = "__part" AND home.staged_pos = "__row"`;
    const differs = compared.map(({ number }) => `new${number} IS DISTINCT FROM old${number}`).join(' OR ');
    const updatedAt = columns.findIndex(({ field }) => field.name === 'updated_at');
    // An unreadable time proves nothing older; a full read's row is what the API has now.
    const isOlder = byUpdatedAt && !fullRead ? `coalesce(new${updatedAt} < old${updatedAt}, false)` : 'false';
    const changed = `new_at IS NOT NULL AND NOT ${isOlder} AND (${differs})`;
    const beside = (join: string) =>
      staged === undefined
        ? `SELECT *, false AS changed FROM (${existing}) AS e`
        : `SELECT *, ${changed} AS changed FROM (${existing}) AS e ${join} JOIN (${staged}) AS s ON old_at = new_at`;
    const values = columns.map(({ field, staged: source }, number) => {
      const name = identifier(field.name);
      if (parts.length === 0) return `old${number} AS ${name}`;
      if (field.name === syncedAt)
        return `CASE WHEN changed THEN ${timeLiteral(now)} ELSE old${number} END AS ${name}`;
      return source === undefined
        ? `old${number} AS ${name}`
        : `CASE WHEN changed THEN new${number} ELSE old${number} END AS ${name}`;
    });
    return {
      compare: beside('INNER'),
      select: `SELECT ${values.join(', ')} FROM (${beside('LEFT')}) WHERE old_at NOT IN (SELECT pos FROM doomed WHERE file = ${file})`,
    };
  }

  /**
   * A file as a local one, and rows of the parts that hold news of it: all they hold, or where there is no room for
   * them only those of the file.
   */
  async #besideParts(
    file: number,
    key: string,
    numbers: readonly number[],
  ): Promise<{ path: string; rows: string | undefined }> {
    const { parts, scratch } = this.#request;
    const { size } = this.#candidates[file]!;
    const staged = numbers.map((number) => ({ ...parts[number]!, number }));
    const groups = withinRoom(staged, this.#local.room - size);
    if (groups.length <= 1) {
      const [path, ...paths] = await this.#local.paths([key, ...staged.map((part) => part.key)]);
      return { path: path!, rows: paths.length === 0 ? undefined : partRows(paths, numbers) };
    }
    const narrowed: string[] = [];
    for (const [at, group] of groups.entries()) {
      const paths = await this.#local.paths(group.map((part) => part.key));
      const rows = partRows(
        paths,
        group.map(({ number }) => number),
      );
      narrowed.push(join(scratch, `news-${at}.parquet`));
      await this.#session.run(
        `COPY (SELECT * FROM (${rows}) AS staged SEMI JOIN home ON home.file = ${file} AND home.part = "__part" AND home.staged_pos = "__row") TO ${literal(narrowed.at(-1)!)} (FORMAT parquet, COMPRESSION lz4_raw)`,
      );
    }
    const [path] = await this.#local.paths([key]);
    return { path: path!, rows: `FROM ${parquetFiles(narrowed)}` };
  }

  /** Writes the rows of new keys to files of their own, in the order of the parts. */
  async insertNew(): Promise<void> {
    const counts = await this.#session.rows(
      'SELECT part, count(*) AS rows FROM inserts GROUP BY part ORDER BY part',
    );
    let group = { numbers: [] as number[], rows: 0, bytes: 0, local: 0 };
    const groups = [group];
    for (const { part, rows } of counts) {
      const { bytes, rows: staged } = this.#request.parts[Number(part)]!;
      const share = (bytes * Number(rows)) / staged;
      const isFull =
        group.rows + Number(rows) > rowsPerFile ||
        group.bytes + share > bytesPerFile ||
        group.local + bytes > this.#local.room;
      if (group.rows > 0 && isFull) {
        group = { numbers: [], rows: 0, bytes: 0, local: 0 };
        groups.push(group);
      }
      group.numbers.push(Number(part));
      group.rows += Number(rows);
      group.bytes += share;
      group.local += bytes;
    }
    for (const { numbers, rows } of groups) if (rows > 0) await this.#insert(numbers, rows);
    // Of a rewritten table those that were there before are no new ones.
    const written = groups.reduce((sum, { rows }) => sum + rows, 0);
    this.#inserted = written - (this.#request.rewrite ? this.#updated : 0);
  }

  async #insert(numbers: readonly number[], rows: number): Promise<void> {
    const { columns, parts, now, table } = this.#request;
    const values = columns.map(({ field, staged }) => {
      const value =
        field.name === syncedAt ? timeLiteral(now) : (staged ?? `NULL::${duckTypeOf(table, field)}`);
      return `${value} AS ${identifier(field.name)}`;
    });
    const group = numbers.map((number) => parts[number]!);
    const paths = await this.#local.paths(group.map(({ key }) => key));
    const whole = rows === group.reduce((sum, part) => sum + part.rows, 0);
    await this.#copy(
      whole
        ? `SELECT ${values.join(', ')} FROM ${parquetFiles(paths)}`
        : `SELECT ${values.join(', ')} FROM (${partRows(paths, numbers)}) AS staged SEMI JOIN inserts ON inserts.part = "__part" AND inserts.pos = "__row"`,
    );
  }

  async #copy(select: string): Promise<void> {
    const { scratch, table, columns, now } = this.#request;
    const fields = columns.map(({ field }) => field);
    const add = await writeDataFile(this.#session, this.#store, {
      table,
      select,
      fields,
      now,
      dataChange: true,
      scratch,
    });
    if (add) this.#adds.push(add);
  }
}

/** What a file's statistics say; another writer may have left them out. */
export function statisticsIn({ stats }: Add): Partial<FileStatistics> {
  return stats === undefined ? {} : (JSON.parse(stats) as Partial<FileStatistics>);
}

/** Rows of data files: from their statistics, or from the files themselves. */
export async function countRows(
  session: DuckSession,
  local: LocalFiles,
  table: string,
  files: readonly Add[],
): Promise<number> {
  const uncounted = files.filter((add) => statisticsIn(add).numRecords === undefined);
  let rows = files.reduce((sum, add) => sum + (statisticsIn(add).numRecords ?? 0), 0);
  for (const group of withinRoom(objectsOf(table, uncounted), local.room)) {
    const source = parquetFiles(await local.paths(group.map(({ key }) => key)));
    const [counts] = await session.rows(`SELECT count(*) AS rows FROM ${source}`);
    rows += Number(counts?.['rows']);
  }
  return rows;
}

function objectsOf(table: string, files: readonly Add[]): { key: string; bytes: number }[] {
  return files.map((add) => ({ key: dataKey(table, add), bytes: add.size }));
}

function numbered<Item extends object>(items: readonly Item[]): (Item & { number: number })[] {
  return items.map((item, number) => ({ ...item, number }));
}

/** Rows of some of the parts with the number of their part and their place in it. */
function partRows(paths: readonly string[], numbers: readonly number[]): string {
  // The list of paths is shorter than all parts: back to the part's own number.
  const partOf = `[${numbers.join(', ')}][file_index::BIGINT + 1]`;
  return `SELECT *, ${partOf} AS "__part", file_row_number AS "__row" FROM ${parquetFiles(paths)}`;
}

function timeLiteral(time: number): string {
  return `TIMESTAMPTZ ${literal(new Date(time).toISOString())}`;
}
