#!/usr/bin/env bash
# pipelinewise-target-postgres 2.1.2 (on the PostgreSQL of pgserver 0.1.4): texts are not stored as they were sent.
#
# Guess:     a text of a RECORD message is in the table as it was sent: its line breaks are line breaks, and an empty
#            text is an empty text.
# Behaviour: a line break arrives as two characters, a backslash and an n (a tab likewise), and an empty text as NULL.
#            The target puts JSON's escapes into a CSV file for COPY, where they mean nothing and nothing means NULL.
# Seen:      1: 'one\\ntwo'
#            2: None
#            3: 'one\\ttwo'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet pgserver==0.1.4 pipelinewise-target-postgres==2.1.2
cat > try.py <<'PY'
import json, subprocess
import pgserver, psycopg2

server = pgserver.get_server("data")
host = server.get_uri().split("host=")[1]
config = {"host": host, "port": 5432, "user": "postgres", "password": "none", "dbname": "postgres", "default_target_schema": "public"}
with open("config.json", "w") as file:
    json.dump(config, file)
schema = {"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": ["null", "string"]}}}
messages = [{"type": "SCHEMA", "stream": "notes", "schema": schema, "key_properties": ["id"]}]
for id, note in enumerate(["one\ntwo", "", "one\ttwo"], start=1):
    messages.append({"type": "RECORD", "stream": "notes", "record": {"id": id, "note": note}})
lines = "".join(json.dumps(message) + "\n" for message in messages)
target = ["environment/bin/target-postgres", "--config", "config.json"]
subprocess.run(target, input=lines, text=True, check=True, capture_output=True)
connection = psycopg2.connect(host=host, user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("SELECT id, note FROM public.notes ORDER BY id")
for id, note in cursor.fetchall():
    print(f"{id}: {note!r}")
connection.close()
server.cleanup()
PY
seen=$(environment/bin/python try.py 2>/dev/null)
echo "$seen"
[ "$seen" = "$(printf '%s\n' "1: 'one\\\\ntwo'" '2: None' "3: 'one\\\\ttwo'")" ]
