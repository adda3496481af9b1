"""read: one read with PyAirbyte into its DuckDB cache. argv: executable, config file, cache file, streams
rows: writes the rows of the cache as JSON lines. argv: cache file, output file, streams

Two processes: the cache keeps its file open.
"""

import datetime
import decimal
import json
import sys

import airbyte
import duckdb


def read(executable, config_file, cache_file, *streams):
    with open(config_file) as file:
        config = json.load(file)
    source = airbyte.get_source(
        "source-incident-io", local_executable=executable, config=config, install_if_missing=False
    )
    source.check()
    source.select_streams(list(streams))
    source.read(cache=airbyte.caches.DuckDBCache(db_path=cache_file))


def plain(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


def rows(cache_file, output_file, *streams):
    with duckdb.connect(cache_file) as connection, open(output_file, "w") as output:
        connection.execute("SET TimeZone = 'UTC'")
        for stream in streams:
            cursor = connection.execute(f'SELECT * FROM main."{stream}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                values = {name: plain(value) for name, value in zip(columns, row)}
                output.write(json.dumps({"stream": stream, "row": values}) + "\n")


{"read": read, "rows": rows}[sys.argv[1]](*sys.argv[2:])
