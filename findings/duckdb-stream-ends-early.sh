#!/usr/bin/env bash
# @duckdb/node-api 1.5.5-r.5: a streamed result whose query fails half-way ends like one that is complete.
#
# Guess:     the loop over a streamed result throws when the query fails after its first rows, as runAndReadAll does.
# Behaviour: the loop ends without an error; the rows before the failure are all that its reader ever sees.
# Seen:      read at once: Conversion Error
#            streamed: no error, fewer rows than the query has
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.5-r.5
cat > try.mjs <<'JS'
import { DuckDBInstance } from '@duckdb/node-api';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const rows = 500_000;
// The last row's text is not a number.
const sql = `SELECT CAST(CASE WHEN i = ${rows - 1} THEN 'x' ELSE i::VARCHAR END AS INTEGER) AS n FROM range(${rows}) t(i)`;
const said = (error) => String(error.message).split(':')[0];
await connection.runAndReadAll(sql).then(
  () => console.log('read at once: no error'),
  (error) => console.log(`read at once: ${said(error)}`),
);
let seen = 0;
try {
  for await (const some of (await connection.stream(sql)).yieldRows()) seen += some.length;
  console.log(`streamed: no error, ${seen < rows ? 'fewer rows than the query has' : 'all rows'}`);
} catch (error) {
  console.log(`streamed: ${said(error)}`);
}
JS
seen=$(node try.mjs)
echo "$seen"
[ "$seen" = "$(printf 'read at once: Conversion Error\nstreamed: no error, fewer rows than the query has')" ]
