# Sourced by the scripts of this folder.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Downloads and builds, kept for the next run.
kept=${BY_HAND_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/incident-io-source/by-hand}
mkdir -p "$kept"
scratch=$(mktemp -d)
children=()

# Ends what the script started, last first; by its process id, never by name.
finish() {
  local index
  for ((index = ${#children[@]} - 1; index >= 0; index -= 1)); do
    kill "${children[index]}" 2>/dev/null || true
    # Not `wait`: some are children of children.
    timeout 20 tail --pid="${children[index]}" --follow /dev/null || true
  done
  rm -rf "$scratch"
}
trap finish EXIT

heading() { printf '\n== %s\n' "$*"; }

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# The command of this checkout; `npm run build` comes first.
command=$project/dist/src/cli/main.js
incident_io_source() { node "$command" "$@"; }

# Starts a program in the background, to be ended with the script. Not for a function: its shell would be ended instead.
background() {
  "$@" &
  children+=($!)
}

# Waits until a command succeeds, for at most a minute.
until_true() {
  local tries
  for tries in $(seq 120); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.5
  done
  fail "not within a minute: $*"
}

# Starts a sandbox of the API with these flags; sets sandbox_url and INCIDENT_IO_API_KEY.
start_sandbox() {
  background node "$command" sandbox --port 0 --json --no-limits "$@" >"$scratch/sandbox.json"
  until_true test -s "$scratch/sandbox.json"
  sandbox_url=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).url' "$scratch/sandbox.json")
  INCIDENT_IO_API_KEY=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).key' "$scratch/sandbox.json")
  export INCIDENT_IO_API_KEY
}

# The pinned Python packages that the tests use, and those of the arguments, in an environment that is kept.
# Sets python.
python_with() {
  local name=$1 marker
  shift
  marker=$kept/$name/$(printf '%s\n' "$@" | sha256sum | cut -c1-16)
  python=$kept/$name/bin/python
  [ -e "$marker" ] && return
  rm -rf "${kept:?}/$name"
  python3 -m venv "$kept/$name"
  "$python" -m pip install --quiet --disable-pip-version-check "$@"
  touch "$marker"
}
