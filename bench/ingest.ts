import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { AnswerRows } from '../src/records/answer-rows.ts';
import { incidents } from '../src/tables/incidents.ts';
import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';
import type { Part } from '../src/warehouse/part.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import { IncidentPages, rowsPerPage } from '../test/helpers/incident-pages.ts';

export type IngestFigures = {
  readonly rows: number;
  /** From the first response's text to the end of the commit. */
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly peakRssBytes: number;
};

const rowsPerBatch = 10_000;

/**
 * Turns responses into a committed table, with two batches in parallel. Each figure is the median of three runs, each in
 * its own process: depending on when garbage is collected and DuckDB frees memory, one run differs by up to a third.
 */
export async function benchIngest(rows: number): Promise<IngestFigures> {
  const runs: IngestFigures[] = [];
  for (let run = 0; run < 3; run += 1) runs.push(await ingestInProcess(rows));
  const median = (of: (figures: IngestFigures) => number) => runs.map(of).sort((a, b) => a - b)[1]!;
  const seconds = median((figures) => figures.seconds);
  return {
    rows,
    seconds,
    rowsPerSecond: rows / seconds,
    peakRssBytes: median((figures) => figures.peakRssBytes),
  };
}

async function ingestInProcess(rows: number): Promise<IngestFigures> {
  const child = fork(fileURLToPath(import.meta.url), [childArgument, String(rows)]);
  const answer = once(child, 'message') as Promise<[IngestFigures]>;
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(`The benchmark's process ended with code ${String(code)}.`);
  });
  const [figures] = await Promise.race([answer, ended]);
  await Promise.allSettled([ended]);
  return figures;
}

const childArgument = 'ingest-in-this-process';

async function ingest(rows: number): Promise<IngestFigures> {
  const root = await mkdtemp(join(tmpdir(), 'bench-ingest-'));
  const warehouse = await openWarehouse(folderStore(root), { destination: root });
  const began = performance.now();
  try {
    await fillIncidents(warehouse, rows);
    const seconds = (performance.now() - began) / 1_000;
    const peakRssBytes = process.resourceUsage().maxRSS * 1_024;
    return { rows, seconds, rowsPerSecond: rows / seconds, peakRssBytes };
  } finally {
    await warehouse.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** Commits invented incidents as a table's first version. */
export async function fillIncidents(warehouse: Warehouse, rows: number): Promise<void> {
  if (rows % rowsPerPage !== 0) throw new RangeError(`rows must be a multiple of ${rowsPerPage}`);
  const pages = new IncidentPages();
  const parts: Part[] = [];
  let nextPage = 0;
  const extract = async (firstBatch: number) => {
    for (let batch = firstBatch; nextPage < rows / rowsPerPage; batch = rowsPerBatch) {
      const answerRows = new AnswerRows(incidents);
      const writer = await warehouse.createPart(incidents, 'bench');
      while (writer.rows < batch && nextPage < rows / rowsPerPage) {
        const page = nextPage;
        nextPage += 1;
        await writer.add(answerRows.read(pages.answer(page), undefined, writer.rows).lines!);
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

if (process.argv[2] === childArgument) {
  const figures = await ingest(Number(process.argv[3]));
  process.send?.(figures);
  process.disconnect?.();
}
