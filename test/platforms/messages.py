"""Checks the messages of a read on standard input with the models of Airbyte's CDK, and each record with its schema.

argv: file with the CATALOG message. Prints what is wrong, one line each.
"""

import collections
import json
import sys

import jsonschema
from airbyte_cdk.models import AirbyteMessageSerializer

with open(sys.argv[1]) as file:
    catalog = AirbyteMessageSerializer.load(json.load(file)).catalog
validators = {
    stream.name: jsonschema.Draft7Validator(stream.json_schema, format_checker=jsonschema.FormatChecker())
    for stream in catalog.streams
}
since_state = collections.Counter()
status = {}
order = {None: ["STARTED"], "STARTED": ["RUNNING", "INCOMPLETE"], "RUNNING": ["RUNNING", "COMPLETE", "INCOMPLETE"]}
last = {}
reported = set()
messages = 0
for line in sys.stdin:
    messages += 1
    message = AirbyteMessageSerializer.load(json.loads(line))
    kind = message.type.value
    if kind == "RECORD":
        record = message.record
        since_state[record.stream] += 1
        last[record.stream] = kind
        if status.get(record.stream) != "RUNNING":
            print(f"{record.stream}: a record while the stream is {status.get(record.stream)}")
        # A wrong declaration is wrong in every row: the first row tells it.
        for error in [] if record.stream in reported else validators[record.stream].iter_errors(record.data):
            print(f"{record.stream}: {list(error.path)}: {error.message[:200]}")
            reported.add(record.stream)
        undeclared = set(record.data) - set(validators[record.stream].schema["properties"])
        if undeclared:
            print(f"{record.stream}: undeclared {sorted(undeclared)}")
    elif kind == "STATE":
        state = message.state
        name = state.stream.stream_descriptor.name
        if state.sourceStats.recordCount != since_state[name]:
            print(f"{name}: {state.sourceStats.recordCount} records in the state, {since_state[name]} came")
        since_state[name] = 0
        last[name] = kind
    elif kind == "TRACE" and message.trace.stream_status:
        facts = message.trace.stream_status
        name = facts.stream_descriptor.name
        if facts.status.value not in order.get(status.get(name), []):
            print(f"{name}: {facts.status.value} after {status.get(name)}")
        if facts.status.value == "COMPLETE" and last.get(name) != "STATE":
            print(f"{name}: complete without a last state")
        status[name] = facts.status.value
for name, value in status.items():
    if value not in ("COMPLETE", "INCOMPLETE"):
        print(f"{name}: ends as {value}")
if messages == 0:
    print("no message")
