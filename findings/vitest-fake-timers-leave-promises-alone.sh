#!/usr/bin/env bash
# vitest 4.1.12: fake timers do not reach node:timers/promises.
#
# Guess:     vi.useFakeTimers() makes the program's clock one, so a loop that sleeps with node:timers/promises moves with
#            vi.advanceTimersByTimeAsync() as one with setTimeout does.
# Behaviour: the global setTimeout moves; the promise of node:timers/promises waits for the real time, although Date has
#            moved. A test of such a loop is slow, or hangs, and says nothing of why.
# Seen:      setTimeout: after an hour of fake time it has fired
#            node:timers/promises: after an hour of fake time it has not
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts vitest@4.1.12
cat > try.test.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { it, vi } from 'vitest';

it('moves', async () => {
  vi.useFakeTimers();
  const fired = { setTimeout: false, 'node:timers/promises': false };
  setTimeout(() => (fired.setTimeout = true), 60_000);
  const stop = new AbortController();
  sleep(60_000, undefined, { signal: stop.signal }).then(
    () => (fired['node:timers/promises'] = true),
    () => {},
  );
  await vi.advanceTimersByTimeAsync(3_600_000);
  vi.useRealTimers();
  const lines = Object.entries(fired).map(
    ([name, has]) => `${name}: after an hour of fake time it has ${has ? 'fired' : 'not'}\n`,
  );
  writeFileSync('seen.txt', lines.join(''));
  stop.abort();
});
JS
npx vitest run > vitest.log 2>&1 || { cat vitest.log; exit 1; }
cat seen.txt
[ "$(cat seen.txt)" = "setTimeout: after an hour of fake time it has fired
node:timers/promises: after an hour of fake time it has not" ]
