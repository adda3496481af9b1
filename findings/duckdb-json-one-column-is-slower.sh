#!/usr/bin/env bash
# @duckdb/node-api 1.5.5-r.5: reading one field of JSON lines takes several times as long as reading two.
#
# Guess:     read_json does less work for fewer declared columns; every type is given, so it has nothing to detect.
# Behaviour: with exactly one declared column it first works out the structure of all the values in the file, to decide
#            whether each line is a record or the value of that column. `records = true` says so and avoids it.
# Seen:      two columns: fast
#            one column: at least three times as long (in fact nine to fifteen times)
#            one column, records = true: fast
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.5-r.5
cat > try.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
const fields = (row) =>
  Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`field_${n}`, { label: `value ${row}`, items: [row, n] }]));
const lines = Array.from({ length: 15_000 }, (_, row) => JSON.stringify({ id: `row-${row}`, ...fields(row) }));
writeFileSync('rows.ndjson', `${lines.join('\n')}\n`);
const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
const timeOf = async (columns, more = '') => {
  const sql = `SELECT count(id) FROM read_json('rows.ndjson', format = 'newline_delimited', columns = {${columns}}${more})`;
  const took = [];
  for (let run = 0; run < 3; run += 1) {
    const before = process.cpuUsage();
    await connection.run(sql);
    const { user, system } = process.cpuUsage(before);
    took.push(user + system);
  }
  return Math.min(...took);
};
const two = await timeOf("id: 'VARCHAR', other: 'VARCHAR'");
const ratios = { one: (await timeOf("id: 'VARCHAR'")) / two, said: (await timeOf("id: 'VARCHAR'", ', records = true')) / two };
console.error(`one column: ${ratios.one.toFixed(1)} times the processor time of two; with records = true: ${ratios.said.toFixed(1)} times`);
console.log(`one column: ${ratios.one >= 3 ? 'at least three times as long' : 'as fast'}`);
console.log(`one column, records = true: ${ratios.said < 2 ? 'fast' : 'slow'}`);
JS
seen=$(node try.mjs)
echo "$seen"
[ "$seen" = "$(printf 'one column: at least three times as long\none column, records = true: fast')" ]
