"""Reads and changes Delta tables with delta-rs: one JSON request per line, one JSON answer per line.

64-bit integers and timestamps are written as text, because JSON readers round the first and have no type for the second.
"""

import json
import os
import sys
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder, write_deltalake


def cell(value):
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def table_of(request, version=None):
    return DeltaTable(request["table"], version=version, storage_options=request.get("storage"))


def read_with_polars(request):
    # Imported here because it takes a while, and most tests do not need it.
    import polars as pl

    rows = pl.read_delta(request["table"], storage_options=request.get("storage")).sort("id")
    return {"rows": [{name: cell(value) for name, value in row.items()} for row in rows.to_dicts()]}


def read(request):
    table = table_of(request, request.get("version"))
    data = table.to_pyarrow_table()
    if "where" in request:
        column, value = request["where"]
        if isinstance(value, dict):
            value = int(value["long"])
        data = table.to_pyarrow_table(filters=pc.field(column) == pc.scalar(value))
        # The other engine of delta-rs skips files by rules of its own.
        literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
        sql = f'SELECT * FROM t WHERE "{column}" = {literal}'
        found = pa.table(QueryBuilder().register("t", table).execute(sql).read_all())
        if found.num_rows != data.num_rows:
            raise ValueError(f"pyarrow finds {data.num_rows} rows, DataFusion {found.num_rows}: {sql}")
    names = data.column_names
    key = request.get("key", ["id"])
    columns = [[cell(value) for value in column.to_pylist()] for column in data.columns]
    return {
        "version": table.version(),
        "schema": [
            {"name": f.name, "type": json.loads(f.type.to_json()), "nullable": f.nullable, "metadata": f.metadata}
            for f in table.schema().fields
        ],
        "rows": sorted((dict(zip(names, row)) for row in zip(*columns)), key=lambda row: [row[column] or "" for column in key]),
        "files": len(table.file_uris()),
        "configuration": table.metadata().configuration,
        "name": table.metadata().name,
        "description": table.metadata().description,
    }


def create(request):
    table = pa.table({"id": ["1"], "kind": ["a"]})
    write_deltalake(request["table"], table, storage_options=request.get("storage"))
    return {"version": 0}


def change(request):
    action = request["change"]
    if action == "create":
        return create(request)
    table = table_of(request)
    if action == "optimize":
        table.optimize.compact()
    elif action == "vacuum":
        table.vacuum(dry_run=False, full=True)
    elif action == "delete":
        table.delete(request["predicate"])
    elif action == "update":
        table.update(predicate=request["predicate"], updates=request["updates"])
    elif action == "restore":
        table.restore(request["version"])
    elif action == "checkpoint":
        table.create_checkpoint()
    elif action == "append":
        write_deltalake(table, table.to_pyarrow_table(), mode="append")
    elif action == "property":
        table.alter.set_table_properties(request["properties"])
    else:
        raise ValueError(action)
    return {"version": table_of(request).version()}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        work = change if "change" in asked else read_with_polars if "polars" in asked else read
        answer = work(asked)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
