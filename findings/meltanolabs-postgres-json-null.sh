#!/usr/bin/env bash
# meltanolabs-target-postgres 0.8.1 (on the PostgreSQL of pgserver 0.1.4): a missing object is not NULL.
#
# Guess:     a record without a value for a nullable object leaves the column NULL, as with every other type, so that
#            `IS NULL` finds the row and coalesce() replaces the value.
# Behaviour: the column holds JSON's null, which is a value: `IS NULL` is false for it. A nullable text is NULL.
# Seen:      owner: null, IS NULL is False
#            note: None, IS NULL is True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet pgserver==0.1.4 meltanolabs-target-postgres==0.8.1
cat > try.py <<'PY'
import json, subprocess
import pgserver, psycopg2

server = pgserver.get_server("data")
host = server.get_uri().split("host=")[1]
config = {"sqlalchemy_url": f"postgresql+psycopg://postgres:@/postgres?host={host}", "default_target_schema": "public"}
with open("config.json", "w") as file:
    json.dump(config, file)
properties = {"id": {"type": "integer"}, "owner": {"type": ["null", "object"]}, "note": {"type": ["null", "string"]}}
schema = {"type": "object", "properties": properties}
messages = [
    {"type": "SCHEMA", "stream": "things", "schema": schema, "key_properties": ["id"]},
    {"type": "RECORD", "stream": "things", "record": {"id": 1, "owner": None, "note": None}},
]
lines = "".join(json.dumps(message) + "\n" for message in messages)
target = ["environment/bin/target-postgres", "--config", "config.json"]
subprocess.run(target, input=lines, text=True, check=True, capture_output=True)
connection = psycopg2.connect(host=host, user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("SELECT owner::text, owner IS NULL, note, note IS NULL FROM public.things")
owner, no_owner, note, no_note = cursor.fetchone()
print(f"owner: {owner}, IS NULL is {no_owner}")
print(f"note: {note}, IS NULL is {no_note}")
connection.close()
server.cleanup()
PY
seen=$(environment/bin/python try.py)
echo "$seen"
[ "$seen" = "$(printf '%s\n' 'owner: null, IS NULL is False' 'note: None, IS NULL is True')" ]
