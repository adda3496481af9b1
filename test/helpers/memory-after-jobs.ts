/**
 * A process that runs twelve heavy jobs in DuckDB, two at a time, and prints by how many bytes it has grown since before
 * the first: right after the last one, and once most of that is given back, or after twenty seconds.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDb, literal } from '../../src/warehouse/duckdb.ts';

const folder = await mkdtemp(join(tmpdir(), 'memory-after-jobs-'));
const engine = new DuckDb({ makeSpillFolder: () => mkdtemp(join(folder, 'spill-')) });
const jobs = engine.jobsOf('test');
// The first job loads DuckDB.
await jobs.job((session) => session.run('SELECT 1'));
const before = await anonymousMemory();
await Promise.all(['one', 'two'].map(sixJobs));
const after = await anonymousMemory();
let idle = after;
for (let waits = 0; waits < 40 && idle - before > 50e6; waits += 1) {
  await sleep(500);
  idle = await anonymousMemory();
}
await engine.close();
await rm(folder, { recursive: true });
console.log(JSON.stringify({ after: after - before, idle: idle - before }));

async function sixJobs(name: string): Promise<void> {
  const file = literal(join(folder, name));
  const write = `COPY (SELECT range::VARCHAR || repeat('x', 2000) FROM range(15000)) TO ${file} (FORMAT parquet)`;
  for (let n = 0; n < 6; n += 1) await jobs.job((session) => session.run(write));
}

/** Bytes of memory in use that are not the contents of files, as Linux counts them. */
async function anonymousMemory(): Promise<number> {
  return Number(/^RssAnon:\s+(\d+)/m.exec(await readFile('/proc/self/status', 'utf8'))![1]) * 1_024;
}
