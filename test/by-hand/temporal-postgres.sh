#!/usr/bin/env bash
# A Temporal server as it runs in production, on PostgreSQL, and a connection on it from link to status.
#
# The server is built from its Go module (ten minutes the first time); the databases are in a cluster of this script's
# own, which Debian's postgresql brings.
#
#   apt-get install postgresql; npm run build; test/by-hand/temporal-postgres.sh
#
# With `measure` and the flags of `bench:scale`, that benchmark on this server instead. 1,000 connections at the default
# frequencies take about 34 minutes, 4 GiB of memory and 3 GiB of disk:
#
#   test/by-hand/temporal-postgres.sh measure --connections 1000 --every default --minutes 15 --seeded
source "$(dirname "$0")/lib.sh"

# 1.32.2 needs a newer Go.
server_version=v1.32.1
port=17233
metrics_port=17244
postgres_port=17432
address=127.0.0.1:$port
built=$kept/temporal-$server_version
cli=${TEMPORAL_CLI_PATH:-$(command -v temporal || ls "${XDG_CACHE_HOME:-$HOME/.cache}"/incident-io-source/temporal-*/temporal)}

build() {
  [ -x "$built/temporal-server" ] && [ -x "$built/temporal-sql-tool" ] && return
  heading "building Temporal $server_version"
  local module
  module=$(go mod download -json "go.temporal.io/server@$server_version" | node -p 'JSON.parse(require("fs").readFileSync(0)).Dir')
  mkdir -p "$built"
  [ -d "$built/source" ] || cp -r "$module" "$built/source"
  chmod -R u+w "$built/source"
  (
    cd "$built/source"
    export GOFLAGS="-mod=mod ${GOFLAGS:-}"
    nice -n 10 go build -o ../temporal-sql-tool ./cmd/tools/sql
    nice -n 10 go build -o ../temporal-server ./cmd/server
  )
}

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser --user postgres -- "$@"; else "$@"; fi; }

start_postgres() {
  local bin data=$scratch/postgres
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
  mkdir "$data"
  if [ "$(id -u)" = 0 ]; then chmod 711 "$scratch" && chown postgres "$data"; fi
  as_postgres "$bin/initdb" --pgdata "$data" --username temporal --auth trust --no-sync >/dev/null
  # SIGTERM would wait for the clients; the data are not needed any more.
  as_postgres "$bin/postgres" -D "$data" -p "$postgres_port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c max_connections=200 >"$scratch/postgres.log" 2>&1 &
  until_true test -s "$data/postmaster.pid"
  children+=("$(head -1 "$data/postmaster.pid")")
  until_true "$bin/pg_isready" --host 127.0.0.1 --port "$postgres_port"
}

create_schemas() {
  local database schema
  for database in temporal:temporal temporal_visibility:visibility; do
    schema=$built/source/schema/postgresql/v12/${database##*:}/versioned
    for step in create 'setup-schema --version 0.0' "update-schema --schema-dir $schema"; do
      # shellcheck disable=SC2086 # each step is a command and its flags
      "$built/temporal-sql-tool" --plugin postgres12 --endpoint 127.0.0.1 --port "$postgres_port" --user temporal \
        --password none --database "${database%%:*}" $step >>"$scratch/schema.log" 2>&1 || fail "$(tail -3 "$scratch/schema.log")"
    done
  done
}

datastore() {
  echo "{ sql: { pluginName: postgres12, databaseName: $1, connectAddr: '127.0.0.1:$postgres_port', connectProtocol: tcp, user: temporal, password: none, maxConns: 20, maxIdleConns: 20, maxConnLifetime: 1h } }"
}

write_settings() {
  : >"$scratch/dynamic.yaml"
  cat >"$scratch/server.yaml" <<YAML
log: { stdout: true, level: warn }
persistence:
  defaultStore: main
  visibilityStore: visibility
  numHistoryShards: 512
  datastores:
    main: $(datastore temporal)
    visibility: $(datastore temporal_visibility)
global:
  metrics: { prometheus: { listenAddress: '127.0.0.1:$metrics_port' } }
  membership: { maxJoinDuration: 30s, broadcastAddress: 127.0.0.1 }
services:
  frontend: { rpc: { grpcPort: $port, membershipPort: 16933, bindOnIP: 127.0.0.1, httpPort: 17243 } }
  history: { rpc: { grpcPort: 17234, membershipPort: 16934, bindOnIP: 127.0.0.1 } }
  matching: { rpc: { grpcPort: 17235, membershipPort: 16935, bindOnIP: 127.0.0.1 } }
  worker: { rpc: { grpcPort: 17239, membershipPort: 16939, bindOnIP: 127.0.0.1 } }
clusterMetadata:
  enableGlobalNamespace: false
  failoverVersionIncrement: 10
  masterClusterName: active
  currentClusterName: active
  clusterInformation:
    active: { enabled: true, initialFailoverVersion: 1, rpcName: frontend, rpcAddress: '$address' }
dynamicConfigClient: { filepath: $scratch/dynamic.yaml, pollInterval: 10s }
YAML
}

build
[ "${1:-}" = build ] && exit
heading 'PostgreSQL, the schemas, the server'
start_postgres
create_schemas
write_settings
background "$built/temporal-server" --config-file "$scratch/server.yaml" --allow-no-auth start >"$scratch/server.log" 2>&1
until_true "$cli" operator cluster health --address "$address"
"$cli" operator cluster system --address "$address"

if [ "${1:-}" = measure ]; then
  shift
  "$cli" operator namespace create --address "$address" --retention 3d default
  until_true "$cli" operator namespace describe --address "$address" --namespace default
  server="$address,$metrics_port,${children[-1]},${children[0]}"
  node "$project/dist/bench/scale.js" --server "$server" "$@"
  exit
fi

start_sandbox --incidents 500
export TEMPORAL_ADDRESS=$address XDG_STATE_HOME=$scratch/state
cd "$scratch"
link() {
  incident_io_source link --connection prod --to "$scratch/warehouse" --base-url "$sandbox_url" \
    --key-env INCIDENT_IO_API_KEY --tables incidents,users,severities --no-import --yes
}

heading 'link on a fresh server: it has no namespace'
! link 2>&1 | tee "$scratch/refused" || fail 'link worked without a namespace'
advice=$(grep --only-matching 'temporal operator namespace create [^.]*\.[^.]*\.[^.]*\.[^.]*' "$scratch/refused")
heading "the advice, as it is: $advice"
"$cli" ${advice#temporal }

heading 'link, apply, worker, trigger, status'
until_true "$cli" operator namespace describe --address "$address" --namespace default
(until_true link) || fail "$(link 2>&1)"
incident_io_source apply --yes
background node "$command" worker >"$scratch/worker.log" 2>&1
incident_io_source trigger
synced() { incident_io_source status; }
until_true synced
incident_io_source status
grep --count '"run ended"' "$scratch/worker.log" | sed 's/$/ runs ended/'
incident_io_source query --from warehouse 'SELECT count(*)::INT AS incidents FROM incidents'
incident_io_source unlink --yes

heading 'passed'
