#!/usr/bin/env bash
# versitygw 1.8.0 (posix backend): a write may be refused for good because another client deletes a neighbour.
#
# Guess:     writes and deletes of different keys do not concern each other, as in S3. If something passes, the answer
#            is one that an SDK tries again (503, or 409 OperationAborted).
# Behaviour: a delete also removes the folders that it leaves empty. A write to a new key below one of them that comes
#            at this moment is answered with 409 ExistingObjectIsDirectory, though no object or folder has its name;
#            the SDK takes it for final. The same write succeeds when it is sent again.
# Seen:      a few of 4,000 writes refused, each with 409 ExistingObjectIsDirectory
#            sent again: all written
set -euo pipefail
folder=$(mktemp -d)
gateway=
trap '[ -z "$gateway" ] || kill "$gateway"; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
npm install --silent --no-audit --no-fund @aws-sdk/client-s3@3.1175.0
mkdir -p root/tables
port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
ROOT_ACCESS_KEY=access ROOT_SECRET_KEY=secret ./versitygw --port "127.0.0.1:$port" posix root > gateway.log 2>&1 &
gateway=$!
cat > try.mjs <<'JS'
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
const client = new S3Client({
  region: 'us-east-1',
  endpoint: process.argv[2],
  forcePathStyle: true,
  credentials: { accessKeyId: 'access', secretAccessKey: 'secret' },
});
const refused = {};
let again = 0;
const write = (at) => client.send(new PutObjectCommand({ ...at, Body: 'x' }));
async function writer(name) {
  for (let n = 0; n < 1000; n += 1) {
    const at = { Bucket: 'tables', Key: `staging/things/${name}-${n}/part` };
    try {
      await write(at);
    } catch (error) {
      const answer = `${error.$metadata?.httpStatusCode} ${error.name}`;
      refused[answer] = (refused[answer] ?? 0) + 1;
      for (let tries = 0; tries < 20; tries += 1) {
        if (await write(at).then(() => true, () => false)) break;
        if (tries === 19) throw error;
      }
      again += 1;
    }
    await client.send(new DeleteObjectCommand(at));
  }
}
await Promise.all(['one', 'two', 'three', 'four'].map(writer));
const answers = Object.keys(refused);
const count = Object.values(refused).reduce((total, one) => total + one, 0);
console.error(`refused: ${JSON.stringify(refused)}, written when sent again: ${again}`);
console.log(`refused: ${answers.join(', ') || 'none'}`);
console.log(`sent again: ${again === count ? 'all written' : 'some refused'}`);
JS
for _ in $(seq 100); do
  if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then break; fi
  sleep 0.1
done
seen=$(node try.mjs "http://127.0.0.1:$port" 2> >(grep '^refused' >&2))
echo "$seen"
[ "$seen" = "$(printf 'refused: 409 ExistingObjectIsDirectory\nsent again: all written')" ]
