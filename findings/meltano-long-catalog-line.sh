#!/usr/bin/env bash
# meltano 4.4.1: a tap whose catalog is one line of more than 64 KiB cannot be run.
#
# Guess:     Meltano reads what a tap prints with --discover as one JSON document, however long its lines are.
# Behaviour: it reads line by line, with a limit of 64 KiB, and a longer line ends it with a ValueError. The same catalog
#            over many lines is accepted.
# Seen:      on one line: ValueError: Separator is found, but chunk is longer than limit
#            over many lines: 600 streams
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet meltano==4.4.1
export MELTANO_SEND_ANONYMOUS_USAGE_STATS=false
cat >tap <<'PY'
#!/usr/bin/env python3
import json, os, sys

if "--discover" in sys.argv:
    schema = {"type": "object", "properties": {"id": {"type": "string", "description": "x" * 50}}}
    names = [f"s{number}" for number in range(600)]
    streams = [{"tap_stream_id": name, "stream": name, "schema": schema, "metadata": []} for name in names]
    print(json.dumps({"streams": streams}, indent=2 if os.environ.get("LINES_MANY") else None))
PY
chmod +x tap
cat >meltano.yml <<'YAML'
version: 1
plugins:
  extractors:
    - { name: tap-wide, namespace: tap_wide, executable: ./tap, capabilities: [catalog, discover] }
YAML
one=$(python/bin/meltano select tap-wide --list --all 2>&1 | grep -o 'ValueError: .*' | tail -1 || true)
many=$(LINES_MANY=1 python/bin/meltano select tap-wide --list --all 2>&1 | grep -c 's[0-9]*\.id')
seen=$(printf 'on one line: %s\nover many lines: %s streams' "$one" "$many")
echo "$seen"
[ "$seen" = "$(printf 'on one line: ValueError: Separator is found, but chunk is longer than limit\nover many lines: 600 streams')" ]
