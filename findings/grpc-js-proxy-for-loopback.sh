#!/usr/bin/env bash
# @grpc/grpc-js 1.14.0: calls to this machine go to the proxy of the environment.
#
# Guess:     with http_proxy set, as in many companies, a client for 127.0.0.1 connects to 127.0.0.1; curl's users are
#            used to no_proxy, but loopback never leaves the machine.
# Behaviour: the client sends CONNECT 127.0.0.1:port to the proxy, unless no_proxy names 127.0.0.1.
# Seen:      the proxy was asked for 127.0.0.1:9
#            with no_proxy=127.0.0.1 the proxy was not asked
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.0
cat > try.mjs <<'JS'
import { createServer } from 'node:http';
import { once } from 'node:events';
const asked = [];
const proxy = createServer().on('connect', (request, socket) => { asked.push(request.url); socket.end(); });
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
process.env.http_proxy = `http://127.0.0.1:${proxy.address().port}`;
const { Client, credentials } = (await import('@grpc/grpc-js')).default;
const call = (target) => new Promise((done) => {
  const client = new Client(target, credentials.createInsecure());
  client.waitForReady(Date.now() + 1_500, () => { client.close(); done(); });
});
await call('127.0.0.1:9');
console.log(asked[0] === undefined ? 'the proxy was not asked' : `the proxy was asked for ${asked[0]}`);

process.env.no_proxy = '127.0.0.1';
await call('127.0.0.1:19');
console.log(`with no_proxy=127.0.0.1 the proxy was ${asked.includes('127.0.0.1:19') ? 'asked' : 'not asked'}`);
process.exit(0);
JS
seen=$(node try.mjs)
echo "$seen"
[ "$seen" = "$(printf 'the proxy was asked for 127.0.0.1:9\nwith no_proxy=127.0.0.1 the proxy was not asked')" ]
