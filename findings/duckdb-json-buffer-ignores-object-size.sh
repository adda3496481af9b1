#!/usr/bin/env bash
# @duckdb/node-api 1.5.5-r.5 on Linux: read_json keeps a large piece of a file in memory, however small its objects are.
#
# Guess:     lines are read in buffers sized by maximum_object_size, so with a limit of 64 KiB instead of the default
#            16 MiB, a file of short lines is read with a few hundred kilobytes of memory. Whether the lines are in one
#            file or in several makes no difference.
# Behaviour: a smaller maximum_object_size changes nothing: a file of 28 MB is in memory as a whole while it is read.
#            The same lines in seven files, with one thread, need only one of the seven at a time.
# Seen:      one file, default limit and limit of 64 KiB: more than 27 MB above before, each
#            seven files: less than 20 MB above before
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.5-r.5
cat > try.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
const [, , files, options] = process.argv;
const perFile = 14_000 / Number(files);
const names = Array.from({ length: Number(files) }, (_, n) => `${files}-${n}.ndjson`);
const line = (n) => JSON.stringify({ id: n, text: String(n).padEnd(2_000, '.') });
for (const [n, name] of names.entries())
  writeFileSync(name, Array.from({ length: perFile }, (_, k) => `${line(n * perFile + k)}\n`).join(''));
globalThis.gc();
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
const list = (all) => `[${all.map((name) => `'${name}'`).join(', ')}]`;
const read = (all) =>
  connection.run(
    `SELECT max(length(text)) FROM read_json(${list(all)}, format = 'newline_delimited', columns = {id: 'BIGINT', text: 'VARCHAR'}${options})`,
  );
// What is loaded and compiled for the first query does not count.
writeFileSync('first.ndjson', `${line(0)}\n`);
await read(['first.ndjson']);
const status = () => readFileSync('/proc/self/status', 'utf8');
writeFileSync('/proc/self/clear_refs', '5');
const kb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status())[1]);
const before = kb('VmRSS');
await read(names);
const more = (kb('VmHWM') - before) / 1e3;
console.error(`${files} files${options}: ${more.toFixed(1)} MB`);
console.log(more > 27 ? 'more than 27 MB' : more < 20 ? 'less than 20 MB' : more);
JS
seen=$(
  node --expose-gc try.mjs 1 ''
  node --expose-gc try.mjs 1 ', maximum_object_size = 65536'
  node --expose-gc try.mjs 7 ''
)
echo "$seen"
[ "$seen" = "more than 27 MB
more than 27 MB
less than 20 MB" ]
