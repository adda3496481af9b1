#!/usr/bin/env bash
# csv-stringify 6.9.0: quoted_empty does not tell the empty text from null.
#
# Guess:     quoted_empty writes "" for the empty text and leaves null an empty field, so that both can be told apart
#            as in PostgreSQL's CSV.
# Behaviour: null is quoted too. Only quoted_string tells them apart, at the price of quotes around every text.
# Seen:      quoted_empty: "","",1
#            quoted_string: ,"",1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts csv-stringify@6.9.0
cat > try.mjs <<'JS'
import { stringify } from 'csv-stringify/sync';
for (const option of ['quoted_empty', 'quoted_string']) {
  console.log(`${option}: ${stringify([[null, '', 1]], { [option]: true }).trim()}`);
}
JS
seen=$(node try.mjs)
echo "$seen"
[ "$seen" = "$(printf 'quoted_empty: "","",1\nquoted_string: ,"",1')" ]
