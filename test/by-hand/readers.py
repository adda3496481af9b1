"""Reads the tables in ./warehouse with each reader; see readers.sh.

Each reader: its page of docs/reading.md, run as it is there, gives the months of months.json; all rows are those of
truth.json; its trap is still one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

project = Path(sys.argv[1])
chosen = [name.lower() for name in sys.argv[2:]]
table = "warehouse/incidents"
sources = "warehouse/alert_sources"
naive = datetime(2026, 1, 1)
aware = datetime(2026, 1, 1, tzinfo=timezone.utc)
columns = ["id", "name", "workload_minutes_total", "has_debrief", "created_at"]


def micros(value):
    """Microseconds since the epoch, as text, of whatever a reader takes a time for."""
    if hasattr(value, "value"):  # pandas: nanoseconds
        return str(value.as_unit("ns").value // 1000)
    assert value.tzinfo is not None, "a time without a zone"
    since = value - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def compare(rows):
    """All rows, every value of `columns`."""
    truth = {row["id"]: row for row in json.loads(Path("truth.json").read_text())}
    assert len(rows) == len(truth), f"{len(rows)} rows, not {len(truth)}"
    for row in rows:
        row = dict(row)
        if not isinstance(row["created_at"], str):
            row["created_at"] = micros(row["created_at"])
        assert row == truth[row["id"]], f"{row} is not {truth[row['id']]}"


def from_arrow(data):
    compare(data.select(columns).to_pylist())


def refused(work):
    try:
        work()
    except Exception:
        return True
    return False


def pages():
    """The code of each page of the document, by heading."""
    text = (project / "docs/reading.md").read_text()
    found = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        code = re.search(r"^```(sql|python)\n(.*?)^```", section, flags=re.M | re.S)
        found[section.splitlines()[0]] = (code[1], code[2])
    return found


def run_python(code):
    Path("page.py").write_text(code)
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True)
    # Polars and delta-rs can end in "terminate called without an active exception" after all their output was right.
    assert done.returncode in (0, -6), done.stderr
    return done.stdout


def duckdb_session():
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("delta")  # takes the place of INSTALL, which asks a server
    return duckdb.connect()


def run_duckdb(code):
    session = duckdb_session()
    for statement in code.replace("INSTALL delta;", "").split(";"):
        if statement.strip():
            rows = session.execute(statement).fetchall()
    return "\n".join(f"{month} {count}" for month, count in rows)


def run_clickhouse(code):
    import chdb

    # The page's folder is this one, and has to be absolute.
    return str(chdb.query(code.replace("/data/", f"{Path.cwd()}/"), "TSV"))


def check_page(name, run):
    months = {row["month"]: row["incidents"] for row in json.loads(Path("months.json").read_text())}
    output = run(pages()[name][1])
    printed = {month: int(count) for month, count in re.findall(r"(\d{4}-\d\d)[^\d\n]+(\d+)", output)}
    assert printed == months, f"{printed} is not {months}"


# Each returns whether its trap is still there.


def delta_rs():
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    from_arrow(DeltaTable(table).to_pyarrow_table())
    data = DeltaTable(table).to_pyarrow_dataset()
    assert data.to_table(filter=pc.field("created_at") >= aware).num_rows > 0
    return refused(lambda: data.to_table(filter=pc.field("created_at") >= naive))


def polars():
    import polars as pl

    from_arrow(pl.read_delta(table).to_arrow())
    return refused(lambda: pl.scan_delta(table).filter(pl.col("created_at") >= naive).collect())


def pandas():
    import pandas as pd
    from deltalake import DeltaTable

    frame = DeltaTable(table).to_pandas(types_mapper=pd.ArrowDtype)[columns]
    compare([{k: None if v is pd.NA else v for k, v in row.items()} for row in frame.to_dict("records")])
    count = "auto_resolve_timeout_minutes"
    typed = DeltaTable(sources).to_pandas(types_mapper=pd.ArrowDtype)[count]
    assert str(typed.dtype) == "int64[pyarrow]" and typed.isna().any()
    return str(DeltaTable(sources).to_pandas()[count].dtype) == "float64"


def daft():
    import daft

    from_arrow(daft.read_deltalake(table).to_arrow())
    return refused(lambda: daft.read_deltalake(table).where(daft.col("created_at") >= naive).collect())


def datafusion():
    from datafusion import SessionContext
    from deltalake import DeltaTable

    shutil.copytree(table, "copy")
    session = SessionContext()
    session.register_table("incidents", DeltaTable("copy"))
    compare(session.sql(f"SELECT {', '.join(columns)} FROM incidents").to_pylist())
    DeltaTable("copy").delete("mode = 'standard'")
    [row] = session.sql("SELECT count(*) AS found FROM incidents WHERE mode = 'standard'").to_pylist()
    return row["found"] > 0


def duckdb():
    session = duckdb_session()
    session.execute("LOAD delta; SET TimeZone = 'UTC'")
    from_arrow(session.execute(f"FROM delta_scan('{table}')").to_arrow_table())
    first = f"SELECT strftime(min(created_at), '%Y') FROM delta_scan('{table}')"
    utc = session.execute(first).fetchone()
    session.execute("SET TimeZone = 'America/New_York'")
    return session.execute(first).fetchone() != utc


def clickhouse():
    import chdb

    folder = Path(table).resolve()
    def query(sql):
        return str(chdb.query(sql, "JSONEachRow")).strip().splitlines()

    names = ", ".join(columns[:-1])
    rows = query(
        f"SELECT {names}, toString(toUnixTimestamp64Micro(created_at)) AS created_at FROM deltaLakeLocal('{folder}')"
    )
    compare([json.loads(row) for row in rows])
    first = f"SELECT toYear(min(created_at)) AS y FROM deltaLakeLocal('{folder}') SETTINGS session_timezone = "
    return query(f"{first}'UTC'") != query(f"{first}'America/New_York'")


def spark():
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
    )
    session = configure_spark_with_delta_pip(builder).getOrCreate()
    session.read.format("delta").load(table).createOrReplaceTempView("incidents")
    names = ", ".join(columns[:-1])
    rows = session.sql(f"SELECT {names}, string(unix_micros(created_at)) AS created_at FROM incidents")
    compare([row.asDict() for row in rows.collect()])
    first = "SELECT year(min(created_at)) FROM incidents"
    utc = session.sql(first).collect()
    session.conf.set("spark.sql.session.timeZone", "America/New_York")
    changed = session.sql(first).collect() != utc
    session.stop()
    return changed


def pyiceberg():
    from deltalake import DeltaTable
    from pyiceberg.catalog.sql import SqlCatalog

    Path("iceberg").mkdir()
    catalog = SqlCatalog("try", uri="sqlite:///iceberg/catalog.db", warehouse=f"file://{Path('iceberg').resolve()}")
    catalog.create_namespace("n")
    shutil.copytree(table, "registered")
    delta = DeltaTable("registered")
    iceberg = catalog.create_table("n.incidents", schema=delta.to_pyarrow_table().schema)
    iceberg.add_files(delta.file_uris())
    from_arrow(iceberg.scan().to_arrow())
    delta.delete("mode = 'standard'")
    return len(iceberg.refresh().scan(row_filter="mode = 'standard'").to_arrow()) > 0


zone = "Shows times, and reads dates in a query, in the zone of the session: {}"
refuses = "Refuses to compare with a time that has no zone"
copies = "Stays at the version that was registered: register again after a run"
readers = [
    ("delta-rs", lambda: version("deltalake"), None, None, delta_rs, refuses),
    ("Polars", lambda: version("polars"), "Polars", run_python, polars, refuses),
    ("pandas, by delta-rs", lambda: version("pandas"), "pandas", run_python, pandas,
     "A column of whole numbers with a null becomes one of floats: `types_mapper=pd.ArrowDtype`"),
    ("Daft", lambda: version("daft"), "Daft", run_python, daft, refuses),
    ("DataFusion, by delta-rs", lambda: version("datafusion"), "DataFusion", run_python, datafusion, copies),
    ("DuckDB, extension `delta`", lambda: version("duckdb"), "DuckDB", run_duckdb, duckdb,
     zone.format("`SET TimeZone = 'UTC'`")),
    ("ClickHouse, in chdb " + version("chdb"), lambda: run_clickhouse("SELECT version()").strip(), "ClickHouse",
     run_clickhouse, clickhouse, zone.format("`SETTINGS session_timezone = 'UTC'`")),
    ("Spark, with Delta " + version("delta-spark"), lambda: version("pyspark"), "Spark", run_python, spark,
     zone.format("`spark.sql.session.timeZone`")),
    ("PyIceberg, `add_files`", lambda: version("pyiceberg"), "PyIceberg", run_python, pyiceberg, copies),
]

document = re.sub(r" +", " ", (project / "docs/operate.md").read_text().replace("’", "'"))
failures = []
print("| Reader | Version | Watch out |\n| --- | --- | --- |")
for name, number, page, run, check, trap in readers:
    if chosen and check.__name__ not in chosen:
        continue
    line = f"| {name} | {number()} | {trap} |"
    try:
        if page:
            check_page(page, run)
        assert check(), "the trap is gone"
        print(line, flush=True)
        if line not in document:
            failures.append(f"docs/operate.md lacks: {line}")
    except Exception as error:
        print(f"| {name} | {number()} | FAILED |", flush=True)
        failures.append(f"{name}: {type(error).__name__}: {str(error)[-1500:]}")
print("\n".join(failures) or "passed", flush=True)
# A thread of delta-rs may outlive the interpreter and abort it.
os._exit(1 if failures else 0)
