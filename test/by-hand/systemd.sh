#!/usr/bin/env bash
# Boots a Debian with systemd in a container, runs the unit in deploy/ there as it is, and has it sync two tables from a
# sandbox: under its own SystemCallFilter, RemoveIPC and all the rest.
#
#   apt-get install --no-install-recommends systemd-container mmdebstrap; npm run build; as root: test/by-hand/systemd.sh
source "$(dirname "$0")/lib.sh"

root=$scratch/root
machine=incident-io-source-by-hand
settings=/etc/incident-io-source/prod.json
cli=${TEMPORAL_CLI_PATH:-$(command -v temporal || ls "${XDG_CACHE_HOME:-$HOME/.cache}"/incident-io-source/temporal-*/temporal)}

[ -e "$kept/systemd.tar" ] ||
  mmdebstrap --quiet --variant=minbase --mode=root --include=systemd,systemd-sysv,dbus bookworm "$kept/systemd.tar"
mkdir "$root"
tar --directory "$root" --extract --file "$kept/systemd.tar"
install -m 755 "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
printf '#!/bin/sh\nexec node /app/dist/src/cli/main.js "$@"\n' >"$root/usr/local/bin/incident-io-source"
chmod 755 "$root/usr/local/bin/incident-io-source"
chroot "$root" useradd --system --home-dir /var/lib/incident-io-source incident-io-source
cp "$project/deploy/incident-io-source@.service" "$root/etc/systemd/system/"

heading 'verify and exposure'
systemd-analyze verify --root="$root" incident-io-source@prod.service
systemd-analyze security --offline=true --root="$root" incident-io-source@prod.service | tail -1

start_sandbox --incidents 200
background "$cli" server start-dev --headless --ip 127.0.0.1 --port 17333 --log-level error
mkdir "$root/etc/incident-io-source"
echo "$INCIDENT_IO_API_KEY" >"$root/etc/incident-io-source/prod.key"
chmod 600 "$root/etc/incident-io-source/prod.key"
echo 'TEMPORAL_ADDRESS=127.0.0.1:17333' >"$root/etc/incident-io-source/prod.env"
cat >"$root$settings" <<JSON
{ "version": 2, "connection": "prod", "baseUrl": "$sandbox_url", "tables": { "incidents": { "every": "5m" }, "users": {} },
  "apiKey": { "file": "/run/credentials/incident-io-source@prod.service/key" },
  "destination": "/var/lib/incident-io-source/prod" }
JSON
until_true "$cli" operator namespace describe --address 127.0.0.1:17333 --namespace default

heading 'boot'
background systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$machine" --directory="$root" \
  --bind-ro="$project:/app" </dev/null >"$scratch/boot.log" 2>&1
nspawn=${children[-1]}
leader() { pgrep --parent "$nspawn"; }
until_true leader
inside() { nsenter --target "$(leader)" --mount --uts --ipc --pid --root --wdns=/ env --unset=NODE_EXTRA_CA_CERTS "$@"; }
until_true inside systemctl is-active --quiet basic.target
journal() { inside journalctl --unit incident-io-source@prod --output cat; }
inside systemctl start incident-io-source@prod || fail "$(journal)"
inside systemctl show incident-io-source@prod --property=ActiveState,SubState,SystemCallFilter,RemoveIPC |
  cut -c1-120
inside env TEMPORAL_ADDRESS=127.0.0.1:17333 "INCIDENT_IO_API_KEY=$INCIDENT_IO_API_KEY" \
  incident-io-source trigger --settings "$settings"
synced() { [ "$(journal | grep -c '"run ended"')" -ge 2 ]; }
(until_true synced) || fail "$(journal)"
journal | cut -c1-200 | tail -12
ls "$root/var/lib/incident-io-source/prod"
inside systemctl stop incident-io-source@prod
inside systemctl show incident-io-source@prod --property=Result,ExecMainStatus
inside systemctl show incident-io-source@prod --property=Result | grep -q success || fail 'the worker did not end well'

heading 'passed'
