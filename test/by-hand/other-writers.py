"""Changes tables as another tool would, and runs a sync after each change; see other-writers.sh."""

import os
import re
import shutil
import subprocess
import sys

import pyarrow as pa
from deltalake import DeltaTable, Field, TableFeatures, write_deltalake
from deltalake.schema import PrimitiveType

command, api, *chosen = sys.argv[1:]


def sync(warehouse):
    """Returns the exit code and what was printed."""
    done = subprocess.run(
        ["node", command, "sync", "incidents", "severities", "--to", warehouse, "--base-url", api],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def rows_of(table):
    """All rows by id, without the time when each was written."""
    rows = DeltaTable(table).to_pyarrow_table().to_pylist()
    for row in rows:
        row.pop("_synced_at")
    return sorted(rows, key=lambda row: row["id"])


def clean_log(table):
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 days"})
    DeltaTable(table.table_uri).create_checkpoint()
    DeltaTable(table.table_uri).cleanup_metadata()


def vacuum(table):
    table.optimize.compact()
    DeltaTable(table.table_uri).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)


feature = dict(allow_protocol_versions_increase=True)
allowed = {
    "OPTIMIZE": lambda table: table.optimize.compact(),
    "OPTIMIZE ZORDER": lambda table: table.optimize.z_order(["updated_at"]),
    "VACUUM with retention 0": vacuum,
    "RESTORE": lambda table: table.restore(0),
    "checkpoint": lambda table: table.create_checkpoint(),
    "clean-up of the log": clean_log,
    "DELETE": lambda table: table.delete("mode = 'standard'"),
    "UPDATE": lambda table: table.update(predicate="mode = 'standard'", updates={"name": "'odd'"}),
    "append": lambda table: write_deltalake(table, table.to_pyarrow_table(), mode="append"),
    "overwrite": lambda table: write_deltalake(table, table.to_pyarrow_table().slice(0, 3), mode="overwrite"),
    "overwrite with other columns": lambda table: write_deltalake(
        table, pa.table({"id": ["x"], "kind": [1]}), mode="overwrite", schema_mode="overwrite"
    ),
    "a new column": lambda table: table.alter.add_columns([Field("note", PrimitiveType("string"))]),
    "append with a new column": lambda table: write_deltalake(
        table, pa.table({"id": ["x"], "note": ["mine"]}), mode="append", schema_mode="merge"
    ),
    "another property": lambda table: table.alter.set_table_properties({"delta.checkpointInterval": "5"}),
}
stops = {
    "constraint": lambda table: table.alter.add_constraint({"has_id": "id IS NOT NULL"}),
    "change feed": lambda table: table.alter.set_table_properties({"delta.enableChangeDataFeed": "true"}),
    "deletion vectors": lambda table: table.alter.add_feature(TableFeatures.DeletionVectors, **feature),
    "column mapping": lambda table: table.alter.add_feature(TableFeatures.ColumnMapping, **feature),
    "append-only": lambda table: table.alter.set_table_properties({"delta.appendOnly": "true"}),
}

# A few versions, so that there is something to restore, compact and clean up.
for method in ("full_refresh", "incremental", "full_refresh"):
    code, output = sync("first")
    assert code == 0, output
    DeltaTable("first/incidents").delete(f"id = '{rows_of('first/incidents')[0]['id']}'")
code, output = sync("first")
assert code == 0, output
truth = rows_of("first/incidents")
print(f"{len(truth)} rows in {DeltaTable('first/incidents').version() + 1} versions\n", flush=True)
failures = []


def attempt(name, work):
    if chosen and name not in chosen:
        return
    shutil.copytree("first", "place")
    try:
        print(f"{name}: {work()}", flush=True)
    except Exception as error:
        failures.append(f"{name}: {type(error).__name__}: {str(error)[:2000]}")
        print(f"{name}: FAILED", flush=True)
    shutil.rmtree("place")


def is_right_after(change):
    change(DeltaTable("place/incidents"))
    code, output = sync("place")
    assert code == 0, output
    found = rows_of("place/incidents")
    added = set(found[0]) - set(truth[0])
    assert added <= {"note"}, added
    assert [{k: v for k, v in row.items() if k not in added} for row in found] == truth, "other rows"
    return f"right after one run{', and its column stays' if added else ''}"


def is_stopped_by(change):
    before = DeltaTable("place/incidents").version()
    change(DeltaTable("place/incidents"))
    protocol = DeltaTable("place/incidents").protocol()
    code, output = sync("place")
    assert code == 1, output
    assert re.search(r"^severities +4 ", output, flags=re.M), f"the other table is not synced: {output}"
    reason = next(line for line in output.splitlines() if "The Delta table incidents" in line).strip()
    back = DeltaTable("place/incidents")
    if protocol.min_writer_version == 2:
        back.alter.set_table_properties({"delta.appendOnly": "false"})
    else:
        back.restore(before, protocol_downgrade_allowed=True)
    code, output = sync("place")
    assert code == 0, output
    assert rows_of("place/incidents") == truth, "other rows"
    assert DeltaTable("place/incidents", version=before).to_pyarrow_table().num_rows > 0, "the history is gone"
    left = [key for key in DeltaTable("place/incidents").metadata().configuration if "onstraint" in key or "Feed" in key]
    return f"{protocol.min_reader_version}/{protocol.min_writer_version}; {reason}; way back works, left: {left}"


def keeps_values():
    table = DeltaTable("place/incidents")
    table.alter.add_columns([Field("note", PrimitiveType("string"))])
    DeltaTable("place/incidents").update(updates={"note": "'mine'"})
    code, output = sync("place")
    assert code == 0, output
    notes = DeltaTable("place/incidents").to_pyarrow_table().column("note")
    assert notes.null_count == 0, f"{notes.null_count} values are gone"
    return "stay"


def stays_raised():
    table = DeltaTable("place/incidents")
    table.alter.add_constraint({"has_id": "id IS NOT NULL"})
    DeltaTable("place/incidents").alter.drop_constraint("has_id")
    for feed in ("true", "false"):
        DeltaTable("place/incidents").alter.set_table_properties({"delta.enableChangeDataFeed": feed})
    protocol = DeltaTable("place/incidents").protocol()
    assert protocol.min_writer_version == 4, protocol
    return f"the protocol stays {protocol.min_reader_version}/{protocol.min_writer_version}"


for name, change in allowed.items():
    attempt(name, lambda: is_right_after(change))
attempt("values of a new column", keeps_values)
print(flush=True)
for name, change in stops.items():
    attempt(name, lambda: is_stopped_by(change))
attempt("turned off again", stays_raised)
print("\n" + ("\n".join(failures) or "passed"), flush=True)
# A thread of delta-rs may outlive the interpreter and abort it.
os._exit(1 if failures else 0)
