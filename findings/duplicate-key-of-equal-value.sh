#!/usr/bin/env bash
# lossless-json 4.3.3: its hook for duplicate keys is not called for every duplicate key.
#
# Guess:     onDuplicateKey is called whenever an object has a key twice, as its name says.
# Behaviour: it is called only if the two values differ; a key with the same value twice passes without a word.
# Seen:      differs: called for a
#            equal: not called
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts lossless-json@4.3.3
cat > try.mjs <<'JS'
import { parse } from 'lossless-json';
for (const [name, text] of [['differs', '{"a":1,"a":2}'], ['equal', '{"a":1,"a":1}']]) {
  const keys = [];
  parse(text, undefined, { onDuplicateKey: ({ key, newValue }) => (keys.push(key), newValue) });
  console.log(`${name}: ${keys.length === 0 ? 'not called' : `called for ${keys}`}`);
}
JS
seen=$(node try.mjs)
echo "$seen"
[ "$seen" = "$(printf 'differs: called for a\nequal: not called')" ]
