import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { AnswerRows } from '../src/records/answer-rows.ts';
import { incidents } from '../src/tables/incidents.ts';
import { duckTypes, literal } from '../src/warehouse/duckdb.ts';
import { openDuckDb } from '../src/warehouse/open-duckdb.ts';
import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';
import type { Part } from '../src/warehouse/part.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import { incidentPage, rowsPerPage } from '../test/helpers/incident-pages.ts';
import { quantile } from './figures.ts';
import { StoredPages } from './stored-pages.ts';

export type IngestFigures = {
  readonly rows: number;
  /** From the first response's bytes to the end of the commit. */
  readonly seconds: number;
  /** Microseconds of processor time for each row. */
  readonly cpuPerRow: number;
  readonly peakRssBytes: number;
};

const rowsPerBatch = 10_000;
/** Enough rows to see how fast DuckDB alone is. */
const rowsOfDuckDb = 250_000;

/**
 * Turns responses into a committed table, with two batches in parallel; and the same rows as DuckDB alone writes them.
 * Each figure is the median of three runs, each in its own process: depending on when garbage is collected and DuckDB
 * frees memory, one run differs by up to a third.
 */
export async function benchIngest(
  sizes: readonly number[],
): Promise<{ readonly sizes: readonly IngestFigures[]; readonly duckDbPerRow: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-pages-'));
  try {
    await StoredPages.write(folder, Math.max(...sizes, rowsOfDuckDb) / rowsPerPage);
    const measured: IngestFigures[] = [];
    for (const rows of sizes) measured.push(await medianOf(() => inProcess('ingest', rows, folder)));
    const alone = await medianOf(() => inProcess('duckdb', rowsOfDuckDb, folder));
    return { sizes: measured, duckDbPerRow: alone.cpuPerRow };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function medianOf(measure: () => Promise<IngestFigures>): Promise<IngestFigures> {
  const runs = [await measure(), await measure(), await measure()];
  const median = (of: (figures: IngestFigures) => number) => quantile(runs.map(of), 0.5);
  return {
    rows: runs[0]!.rows,
    seconds: median(({ seconds }) => seconds),
    cpuPerRow: median(({ cpuPerRow }) => cpuPerRow),
    peakRssBytes: median(({ peakRssBytes }) => peakRssBytes),
  };
}

const measures = { ingest, duckdb: duckDbAlone } as const;

async function inProcess(
  measure: keyof typeof measures,
  rows: number,
  folder: string,
): Promise<IngestFigures> {
  const child = fork(fileURLToPath(import.meta.url), [measure, String(rows), folder]);
  const answer = once(child, 'message') as Promise<[IngestFigures]>;
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(`The benchmark's process ended with code ${String(code)}.`);
  });
  const [figures] = await Promise.race([answer, ended]);
  await Promise.allSettled([ended]);
  return figures;
}

async function measured(rows: number, work: () => Promise<void>): Promise<IngestFigures> {
  const began = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return {
    rows,
    seconds: (performance.now() - began) / 1_000,
    cpuPerRow: (user + system) / rows,
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
  };
}

async function ingest(rows: number, folder: string): Promise<IngestFigures> {
  const root = await mkdtemp(join(tmpdir(), 'bench-ingest-'));
  const warehouse = await openWarehouse(folderStore(root), { destination: root });
  const pages = await StoredPages.open(folder);
  try {
    return await measured(rows, () => fillIncidents(warehouse, rows, (page) => pages.read(page)));
  } finally {
    await pages.close();
    await warehouse.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** Has DuckDB write the lines of the same rows as Parquet, once, as it would without us. */
async function duckDbAlone(rows: number, folder: string): Promise<IngestFigures> {
  const pages = await StoredPages.open(folder);
  const [lines, target] = [join(folder, `${process.pid}.ndjson`), join(folder, `${process.pid}.parquet`)];
  const answerRows = new AnswerRows(incidents);
  const file = await open(lines, 'wx');
  for (let page = 0; page < rows / rowsPerPage; page += 1) {
    await file.appendFile(
      answerRows.read(await pages.read(page), undefined, page * rowsPerPage).lines!.bytes,
    );
  }
  await file.close();
  await pages.close();
  const columns = Object.entries(incidents.columns).map(
    ([name, { type }]) => `${literal(name)}: ${literal(duckTypes[type])}`,
  );
  const instance = await openDuckDb({ spill: folder, limits: { threads: 1, memory: '512MB' } });
  const connection = await instance.connect();
  try {
    return await measured(rows, async () => {
      await connection.run(`
        COPY (
          FROM read_json(${literal(lines)}, format = 'newline_delimited', columns = {${columns.join(', ')}})
        ) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192)`);
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(lines);
    await rm(target, { force: true });
  }
}

/**
 * Commits invented incidents as a table's first version.
 * @param pageAt the bytes of a page; made on the spot if left out
 */
export async function fillIncidents(
  warehouse: Warehouse,
  rows: number,
  pageAt: (page: number) => Buffer | Promise<Buffer> = incidentPage,
): Promise<void> {
  if (rows % rowsPerPage !== 0) throw new RangeError(`rows must be a multiple of ${rowsPerPage}`);
  const parts: Part[] = [];
  let nextPage = 0;
  const extract = async (firstBatch: number) => {
    for (let batch = firstBatch; nextPage < rows / rowsPerPage; batch = rowsPerBatch) {
      const answerRows = new AnswerRows(incidents);
      const writer = await warehouse.createPart(incidents, 'bench', { isFirst: true });
      while (writer.rows < batch && nextPage < rows / rowsPerPage) {
        const page = nextPage;
        nextPage += 1;
        await writer.add(answerRows.read(await pageAt(page), undefined, writer.rows).lines!);
      }
      const part = await writer.finish();
      if (part) parts.push(part);
    }
  };
  // The first batches differ in size so that the two do not run in step and wait for DuckDB at the same time.
  await Promise.all([extract(rowsPerBatch), extract(rowsPerBatch / 2)]);
  const outcome = await warehouse.commit(incidents, {
    chainId: 'bench',
    parts,
    fullRead: true,
    plannedOn: 'none',
    state: { account: 'unknown', filters: '[]', visibility: 'unknown' },
  });
  if (outcome.status !== 'committed' || outcome.rows !== rows) {
    throw new Error(`The benchmark committed something else: ${JSON.stringify(outcome)}`);
  }
}

const [, , asked, rows, folder] = process.argv;
if (process.send && (asked === 'ingest' || asked === 'duckdb')) {
  process.send(await measures[asked](Number(rows), folder!));
  process.disconnect();
}
