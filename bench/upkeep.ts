import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnswerRows } from '../src/records/answer-rows.ts';
import { severities } from '../src/tables/severities.ts';
import type { ApiRecord } from '../src/tables/table.ts';
import { folderStore } from '../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../src/warehouse/open-warehouse.ts';
import { tableFiles } from '../src/warehouse/read/table-files.ts';
import type { Store } from '../src/warehouse/store/store.ts';
import type { CommitRequest, Warehouse } from '../src/warehouse/warehouse.ts';
import { datedStore } from '../test/helpers/dated-store.ts';
import { type Figure, mib } from './figures.ts';

/** The state of a table at one moment. */
type UpkeepSample = {
  readonly day: number;
  readonly version: number;
  readonly rows: number;
  readonly logFiles: number;
  readonly logBytes: number;
  readonly dataFiles: number;
  readonly dataBytes: number;
  /** The data of the newest version. */
  readonly liveBytes: number;
  readonly checkpointBytes: number;
  readonly liveFiles: number;
  /** Requests to the store that it takes to open the table. */
  readonly lists: number;
  readonly reads: number;
  readonly openMs: number;
};

const minuteMs = 60_000;
const dayMs = 86_400_000;
const firstRows = 10_000;
/** When the simulation begins. */
const began = Date.UTC(2026, 0, 1);

/**
 * Simulates runs on a table of 10,000 rows. Each run changes three or four rows and adds one, and is followed by
 * upkeep if it asks for it. Reports the state of the table once per simulated day.
 */
async function benchUpkeep(
  { days, everyMinutes }: { readonly days: number; readonly everyMinutes: number },
  report: (sample: UpkeepSample) => void,
): Promise<{ readonly versions: number; readonly upkeeps: number; readonly seconds: number }> {
  const root = await mkdtemp(join(tmpdir(), 'bench-upkeep-'));
  let now = began;
  const store = datedStore(folderStore(root), root, () => now);
  const warehouse = await openWarehouse(store, { destination: root, now: () => now });
  const playing = performance.now();
  try {
    const first = Array.from({ length: firstRows }, (_, number) => recordOf(number, 0));
    let run = await commit(warehouse, 'first', first, 'none');
    let upkeeps = 0;
    const runs = (days * dayMs) / (everyMinutes * minuteMs);
    for (let number = 1; number <= runs; number += 1) {
      now = began + number * everyMinutes * minuteMs;
      run = await commit(warehouse, `run-${number}`, changesOf(number), run.counter);
      if (run.upkeepSince !== undefined) {
        await warehouse.keepUp(severities, run.upkeepSince, new AbortController().signal);
        upkeeps += 1;
      }
      if ((number * everyMinutes) % (dayMs / minuteMs) === 0) {
        report(await sampleOf(root, store, now, (now - began) / dayMs, run));
      }
    }
    return { versions: run.version + 1, upkeeps, seconds: (performance.now() - playing) / 1_000 };
  } finally {
    await warehouse.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** The table on some of the days, the last day compared to one when it had levelled off, and an estimate for a year. */
export async function upkeepFigures(plan: Parameters<typeof benchUpkeep>[0]): Promise<Figure[]> {
  const samples: UpkeepSample[] = [];
  const { versions, upkeeps, seconds } = await benchUpkeep(plan, (sample) => samples.push(sample));
  // A removed file stays listed for two days after it was deleted, and clean-up works by whole days. After that the
  // checkpoint has reached its full size, and one retention later the last smaller one is gone.
  const [level, last] = [samples.find(({ day }) => day === 20)!, samples.at(-1)!];
  const levels: readonly [string, (sample: UpkeepSample) => number][] = [
    ['log files', ({ logFiles }) => logFiles],
    ['log bytes', ({ logBytes }) => logBytes],
    ['data files', ({ dataFiles }) => dataFiles],
    ['data bytes', ({ dataBytes }) => dataBytes],
    ['checkpoint bytes', ({ checkpointBytes }) => checkpointBytes],
    ['requests to open it', ({ lists, reads }) => lists + reads],
  ];
  const growth = (last.liveBytes - level.liveBytes) / (last.day - level.day);
  const year = last.logBytes + last.dataBytes + growth * (365 - last.day);
  return [
    ...samples
      .filter(({ day }) => (day < 10 ? day % 3 === 0 : day % 5 === 0))
      .map((sample) => ({ what: `day ${sample.day}`, measured: described(sample) })),
    ...levels.map(([what, of]) => ({
      what: `${what}, day ${level.day} → day ${last.day}`,
      measured: `${of(level)} → ${of(last)}`,
      ratio: of(last) / of(level),
    })),
    {
      what: 'versions',
      measured: `${versions}; ${upkeeps} runs with upkeep; simulated in ${seconds.toFixed(0)} s`,
    },
    {
      what: 'estimate for a year',
      measured: `${Math.round((365 / last.day) * versions)} versions; ${mib(year)} on disk; the rows grow by ${(growth / 1_024).toFixed(1)} KiB per day`,
    },
  ];
}

function described(sample: UpkeepSample): string {
  const { version, rows, logFiles, logBytes, dataFiles, dataBytes, liveFiles, liveBytes } = sample;
  return [
    `version ${version}, ${rows} rows`,
    `log ${logFiles} files, ${mib(logBytes)}`,
    `data ${dataFiles} files, ${mib(dataBytes)}, of which ${liveFiles} live, ${mib(liveBytes)}`,
    `checkpoint ${Math.round(sample.checkpointBytes / 1_024)} KiB`,
    `opened by ${sample.lists} lists and ${sample.reads} reads in ${sample.openMs.toFixed(0)} ms`,
  ].join('; ');
}

/** A row of the table; each run changes mostly young ones, as in a real account. */
function recordOf(number: number, changedBy: number): ApiRecord {
  return {
    id: `01H${number.toString(36).toUpperCase().padStart(9, '0')}QJ4WZ0N8XKPT3V`,
    name: `severity ${number}, changed by run ${changedBy}`,
    description: `${number.toString(36)} `.repeat(20),
    rank: number,
    created_at: new Date(began).toISOString(),
    updated_at: new Date(began + changedBy * minuteMs).toISOString(),
  };
}

/** One new row, three young rows that changed, and in one of 24 runs an old row. */
function changesOf(run: number): readonly ApiRecord[] {
  const newest = firstRows + run - 1;
  // Rows of about the same age, such as those of an incident in progress.
  const young = Math.max(0, newest - (newest % 64) - 64) + (run % 60);
  const old = run % 24 === 0 ? [(run * 37) % firstRows] : [];
  return [newest, young, young + 1, young + 2, ...old].map((number) => recordOf(number, run));
}

async function commit(
  warehouse: Warehouse,
  chainId: string,
  records: readonly ApiRecord[],
  plannedOn: CommitRequest['plannedOn'],
) {
  const writer = await warehouse.createPart(severities, chainId);
  const answer = Buffer.from(JSON.stringify({ severities: records }));
  await writer.add(new AnswerRows(severities).read(answer, undefined, 0).lines!);
  const part = (await writer.finish())!;
  const outcome = await warehouse.commit(severities, {
    chainId,
    parts: [part],
    fullRead: plannedOn === 'none',
    plannedOn,
    state: { watermark: 1, account: 'unknown', filters: '[]', visibility: 'unknown' },
  });
  await warehouse.discardStaged(severities, chainId);
  if (outcome.status !== 'committed') throw new Error(`The run was not committed: ${outcome.status}`);
  return outcome;
}

/** Measures the files in the folder, and opens the table the way a run does. */
async function sampleOf(
  root: string,
  store: Store,
  now: number,
  day: number,
  { version, rows }: { readonly version: number; readonly rows: number },
): Promise<UpkeepSample> {
  const objects = await store.list(`${severities.name}/`);
  const log = objects.filter(({ key }) => key.includes('/_delta_log/'));
  const data = objects.filter(({ key }) => !key.includes('/_delta_log/'));
  const checkpoints = log.filter(({ key }) => key.endsWith('.checkpoint.parquet'));
  const bytes = (of: typeof objects) => of.reduce((sum, object) => sum + object.bytes, 0);
  const asked = { lists: 0, reads: 0 };
  const counting: Store = {
    ...store,
    list: (prefix) => ((asked.lists += 1), store.list(prefix)),
    read: (key) => ((asked.reads += 1), store.read(key)),
    withLocal: (work) =>
      store.withLocal((local) =>
        work({ ...local, paths: (keys) => ((asked.reads += keys.length), local.paths(keys)) }),
      ),
  };
  const reader = await openWarehouse(counting, { destination: root, now: () => now });
  try {
    // DuckDB starts with its first job, which must not count as opening the table.
    await reader.readState(severities);
    Object.assign(asked, { lists: 0, reads: 0 });
    const opening = performance.now();
    await reader.readState(severities);
    const openMs = performance.now() - opening;
    const live = new Set((await tableFiles(store, severities.name)).keys);
    return {
      day,
      version,
      rows,
      logFiles: log.length,
      logBytes: bytes(log),
      dataFiles: data.length,
      dataBytes: bytes(data),
      checkpointBytes: checkpoints.at(-1)?.bytes ?? 0,
      liveFiles: live.size,
      liveBytes: bytes(data.filter(({ key }) => live.has(key))),
      ...asked,
      openMs,
    };
  } finally {
    await reader.close();
  }
}
