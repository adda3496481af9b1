#!/usr/bin/env bash
# axios 1.21.1: a response above maxContentLength and one that was cut off have the same error code.
#
# Guess:     the code tells what went wrong, so that a client retries a connection that was cut off, and gives up on an
#            answer that will always be too long.
# Behaviour: both are ERR_BAD_RESPONSE, as is status 503. Only the message, or the presence of a response, differs.
# Seen:      too long: ERR_BAD_RESPONSE, maxContentLength size of 5 exceeded
#            cut off: ERR_BAD_RESPONSE, stream has been aborted
#            503: ERR_BAD_RESPONSE, Request failed with status code 503
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts axios@1.21.1
cat > try.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import axios from 'axios';

const server = createServer((request, response) => {
  if (request.url === '/503') response.writeHead(503).end();
  else if (request.url === '/long') response.end('0123456789');
  else response.writeHead(200, { 'content-length': 10 }).write('0123', () => setTimeout(() => response.destroy(), 50));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const get = (path, options) => axios.get(`http://127.0.0.1:${server.address().port}${path}`, { proxy: false, ...options });
for (const [what, path, options] of [
  ['too long', '/long', { maxContentLength: 5 }],
  ['cut off', '/cut'],
  ['503', '/503'],
]) {
  await get(path, options).then(
    () => console.log(`${what}: no error`),
    ({ code, message }) => console.log(`${what}: ${code}, ${message}`),
  );
}
server.close();
JS
seen=$(node try.mjs)
echo "$seen"
[ "$(grep -c ': ERR_BAD_RESPONSE, ' <<< "$seen")" = 3 ]
