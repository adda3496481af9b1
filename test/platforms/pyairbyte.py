"""One read with PyAirbyte into its DuckDB cache; then writes the rows of the cache as JSON lines.

argv: executable, config file, cache file, output file, streams
"""

import datetime
import decimal
import json
import sys

import airbyte
import duckdb

executable, config_file, cache_file, output_file, *streams = sys.argv[1:]
with open(config_file) as file:
    config = json.load(file)
source = airbyte.get_source(
    "source-incident-io", local_executable=executable, config=config, install_if_missing=False
)
source.check()
source.select_streams(streams)
cache = airbyte.caches.DuckDBCache(db_path=cache_file)
source.read(cache=cache)
del cache


def plain(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


with duckdb.connect(cache_file) as connection, open(output_file, "w") as output:
    connection.execute("SET TimeZone = 'UTC'")
    for stream in streams:
        cursor = connection.execute(f'SELECT * FROM main."{stream}"')
        columns = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            values = {name: plain(value) for name, value in zip(columns, row)}
            output.write(json.dumps({"stream": stream, "row": values}) + "\n")
