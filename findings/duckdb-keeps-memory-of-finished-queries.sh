#!/usr/bin/env bash
# @duckdb/node-api 1.5.5-r.5 on Linux: a process keeps the memory of finished queries several times over.
#
# Guess:     with one instance, `threads = 1` and two queries at a time, a process holds at most what two of them need,
#            and memory that no query uses goes back to the system after a while.
# Behaviour: queries run on the threads of libuv's pool, and DuckDB's allocator keeps for each of these threads what
#            its largest query needed. It stays, however long the process is idle; duckdb_memory() does not count it.
#            Setting `memory_limit`, even to the value it has, gives all of it back, and so does a second of idleness
#            if `allocator_background_threads` is on. It is off unless it is set.
# Seen:      after twelve queries and two idle seconds: more than 150 MB kept, less than 1 MB by duckdb_memory()
#            after memory_limit was set to what it was: less than 50 MB kept
#            with allocator_background_threads, after two idle seconds: less than 50 MB kept
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.5-r.5
cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
const [, , threads] = process.argv;
const options = { threads: '1', memory_limit: '512MB', allocator_background_threads: threads };
const instance = await DuckDBInstance.create(':memory:', options);
const kept = () => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1e3;
const run = async (sql) => {
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
  }
};
await run('SELECT 1');
const before = kept();
const write = (file) =>
  run(`COPY (SELECT range::VARCHAR || repeat('x', 2000) AS text FROM range(15000)) TO '${file}' (FORMAT parquet)`);
await Promise.all(['one', 'two'].map(async (file) => { for (let n = 0; n < 6; n += 1) await write(file); }));
await sleep(2_000);
const [[counted]] = await run('SELECT sum(memory_usage_bytes) / 1e6 FROM duckdb_memory()');
const idle = kept() - before;
await run("SET memory_limit = '512MB'");
const set = kept() - before;
console.error(`kept: ${idle.toFixed(0)} MB, ${Number(counted).toFixed(1)} MB by duckdb_memory(); then ${set.toFixed(0)} MB`);
console.log(`idle: ${idle > 150 ? 'more than 150 MB' : idle < 50 ? 'less than 50 MB' : idle} kept`);
console.log(`counted: ${counted < 1 ? 'less than 1 MB' : counted}`);
console.log(`memory_limit set: ${set < 50 ? 'less than 50 MB' : set} kept`);
JS
seen=$(for threads in false true; do echo "allocator_background_threads=$threads"; node try.mjs "$threads"; done)
echo "$seen"
[ "$seen" = "allocator_background_threads=false
idle: more than 150 MB kept
counted: less than 1 MB
memory_limit set: less than 50 MB kept
allocator_background_threads=true
idle: less than 50 MB kept
counted: less than 1 MB
memory_limit set: less than 50 MB kept" ]
