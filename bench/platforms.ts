import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { defaultTables } from '../src/tables/index.ts';
import { openDestination } from '../src/warehouse/open-warehouse.ts';
import { incidents } from '../src/tables/incidents.ts';
import { type Figure, mib } from './figures.ts';
import { fillIncidents } from './ingest.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { smallAccount } from './small-account.ts';
import { usedBy } from './used-by.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const python = here('../../.platforms/airbyte/bin/python');
const cdkSource = here('../../bench/airbyte-cdk-source.py');
/** Enough rows to see how fast the CDK is. */
const cdkRows = 50_000;

/** What a platform that drives the source waits for. */
export async function platformFigures(): Promise<Figure[]> {
  return [...(await nothingNew()), ...(await emission())];
}

type Emitted = {
  readonly records: number;
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** From the first record to the last. */
  readonly emitting: number;
  readonly peakBytes: number;
  /** Processor time of the whole process, and from its first message on. */
  readonly cpuSeconds: number;
  readonly emittingCpu: number;
};

/** Runs a program on one core and counts the records that it prints; the last state is given to `onState`. */
async function run(
  program: string,
  argv: readonly string[],
  onLine?: (line: string) => void,
): Promise<Emitted> {
  const began = performance.now();
  const child = spawn('taskset', ['-c', '0', program, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [peakBytes, cpuSeconds] = [0, 0];
  const watch = setInterval(() => {
    usedBy(child.pid!).then(
      (used) => {
        peakBytes = Math.max(peakBytes, used.peakBytes);
        cpuSeconds = Math.max(cpuSeconds, used.cpuSeconds);
      },
      // It has just ended.
      () => undefined,
    );
  }, 50);
  const ended = once(child, 'close');
  let [records, first, last, cpuBefore] = [0, 0, 0, 0];
  if (onLine) for await (const line of createInterface({ input: child.stdout })) onLine(line);
  else {
    for await (const chunk of child.stdout) {
      last = performance.now();
      if (first === 0) {
        first = last;
        cpuBefore = (await usedBy(child.pid!)).cpuSeconds;
      }
      // Looking at each byte in JavaScript would hold the program up.
      const lines = chunk as Buffer;
      for (let at = lines.indexOf(10); at !== -1; at = lines.indexOf(10, at + 1)) records += 1;
    }
  }
  const [code] = (await ended) as [number];
  clearInterval(watch);
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  const seconds = (performance.now() - began) / 1_000;
  const emittingCpu = cpuSeconds - cpuBefore;
  return { records, seconds, emitting: (last - first) / 1_000, peakBytes, cpuSeconds, emittingCpu };
}

const source = here('../src/platforms/airbyte/main.js');

async function nothingNew(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-platforms-'));
  const sandbox = await startSandboxProcess({
    sizes: smallAccount,
    limits: 'off',
    until: new Date().toISOString(),
  });
  try {
    const file = await filesIn(folder);
    const config = await file('config.json', {
      api_key: sandbox.keys[0],
      base_url: sandbox.url,
      warehouse: join(folder, 'warehouse'),
    });
    const catalog = await file('catalog.json', catalogOf(defaultTables.map(({ name }) => name)));
    let state: object[] = [];
    const read = async (): Promise<Emitted> => {
      const states = new Map<string, object>();
      const argv = [source, 'read', '--config', config, '--catalog', catalog];
      argv.push('--state', await file('state.json', state));
      const figures = await run(process.execPath, argv, (line) => {
        const { type, state } = JSON.parse(line) as {
          type: string;
          state: { stream: { stream_descriptor: { name: string } } };
        };
        if (type === 'STATE') states.set(state.stream.stream_descriptor.name, state);
      });
      state = [...states.values()];
      return figures;
    };
    await read();
    await read();
    const runs = [await read(), await read(), await read()].sort((a, b) => a.seconds - b.seconds);
    const { seconds, peakBytes, cpuSeconds } = runs[1]!;
    return [
      {
        what: `nothing new in ${defaultTables.length} tables`,
        measured: `${seconds.toFixed(1)} s`,
        reach: '≤ 3 s',
        ratio: seconds / 3,
      },
      { what: 'its processor time', measured: `${cpuSeconds.toFixed(1)} s` },
      {
        what: 'its peak memory',
        measured: mib(peakBytes),
        reach: '≤ 150 MiB',
        ratio: peakBytes / 2 ** 20 / 150,
      },
    ];
  } finally {
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Other programs share the machine, so only processor time says how fast one is. */
const perSecond = ({ records, emittingCpu }: Emitted) => Math.round(records / emittingCpu);

async function emission(): Promise<Figure[]> {
  const quarter = await emit(125_000);
  const whole = await emit(500_000);
  const figures: Figure[] = [
    {
      what: '500,000 rows out of a table, per second of processor time',
      measured: `${perSecond(whole)} rows`,
      reach: '≥ 60000 rows',
      ratio: perSecond(whole) / 60_000,
    },
    {
      what: 'the same per second from the first row to the last',
      measured: `${Math.round(whole.records / whole.emitting)} rows`,
    },
    { what: 'peak memory', measured: mib(whole.peakBytes) },
    {
      what: 'peak memory, compared to 125,000 rows',
      measured: mib(quarter.peakBytes),
      reach: '≤ 1.20',
      ratio: whole.peakBytes / quarter.peakBytes,
    },
  ];
  if (whole.cdk) {
    figures.push(
      {
        what: 'such rows by Airbyte’s CDK, per second of processor time',
        measured: `${perSecond(whole.cdk)} rows`,
      },
      { what: 'its peak memory', measured: mib(whole.cdk.peakBytes) },
    );
  }
  return figures;
}

/** Reads a table from its first row on, as the rest of a read that was killed: nothing is synced. */
async function emit(rows: number): Promise<Emitted & { readonly cdk?: Emitted }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-platforms-'));
  const place = join(folder, 'warehouse');
  const warehouse = await openDestination(place);
  const sandbox = await startSandboxProcess({ sizes: smallAccount, limits: 'off' });
  try {
    await fillIncidents(warehouse, rows);
    const table = (await warehouse.snapshotOf(incidents))!.metadata.id;
    await warehouse.close();
    const file = await filesIn(folder);
    const config = await file('config.json', {
      api_key: sandbox.keys[0],
      base_url: sandbox.url,
      warehouse: place,
    });
    const catalog = await file('catalog.json', catalogOf(['incidents']));
    const blob = { v: 1, account: 'unknown', table, to: '0', after: '0:0' };
    const stream = { stream_descriptor: { name: 'incidents' }, stream_state: blob };
    const state = await file('state.json', [{ type: 'STREAM', stream }]);
    const argv = [source, 'read', '--config', config, '--catalog', catalog, '--state', state];
    const figures = await run(process.execPath, argv);
    if (figures.records < rows) throw new Error(`${figures.records} of ${rows} records`);
    if (rows < 500_000 || !existsSync(python)) return figures;
    return { ...figures, cdk: await emitByCdk(folder, argv, catalog) };
  } finally {
    sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function emitByCdk(folder: string, argv: readonly string[], catalog: string): Promise<Emitted> {
  const records = join(folder, 'records.jsonl');
  const output = createWriteStream(records);
  let kept = 0;
  await run(process.execPath, argv, (line) => {
    const { type, record } = JSON.parse(line) as { type: string; record: { data: object } };
    if (type !== 'RECORD' || kept === cdkRows) return;
    kept += 1;
    output.write(`${JSON.stringify(record.data)}\n`);
  });
  output.end();
  await once(output, 'finish');
  const config = await (await filesIn(folder))('cdk.json', { records });
  return run(python, [cdkSource, config, catalog]);
}

async function filesIn(folder: string) {
  return async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
}

function catalogOf(names: readonly string[]): object {
  return {
    streams: names.map((name) => ({
      stream: { name, json_schema: {}, supported_sync_modes: ['full_refresh', 'incremental'] },
      sync_mode: 'incremental',
      destination_sync_mode: 'append_dedup',
    })),
  };
}
