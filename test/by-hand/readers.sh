#!/usr/bin/env bash
# Syncs tables of a sandbox and reads them with every tool that docs/reading.md has a page for and that runs on one
# machine: the page itself, every row, and the one trap that the matrix in docs/operate.md names. Prints the matrix and
# fails if the one in the document differs.
#
# Needs Python 3.11, Java 17, two gigabytes of packages and ten minutes the first time.
#
#   npm run build; test/by-hand/readers.sh [reader…]
source "$(dirname "$0")/lib.sh"

# Daft wants pyarrow < 26. The extension of DuckDB is of exactly its version.
python_with readers deltalake==1.6.6 polars==2.1.0 pandas==3.1.1 pyarrow==25.0.1 daft==0.7.26 datafusion==55.0.0 \
  duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-delta==1.5.5 chdb==4.4.0 'pyiceberg[sql-sqlite]==0.12.0' \
  pyspark==4.2.0 delta-spark==4.4.0

start_sandbox --incidents 2000
export XDG_STATE_HOME=$scratch/state
cd "$scratch"
incident_io_source sync incidents alert_sources --to warehouse --base-url "$sandbox_url" >"$scratch/sync.log" ||
  fail "$(cat "$scratch/sync.log")"
incident_io_source query --json --from warehouse \
  'SELECT id, name, workload_minutes_total, has_debrief, epoch_us(created_at)::VARCHAR AS created_at FROM incidents' \
  >truth.json
incident_io_source query --json --from warehouse \
  "SELECT strftime(created_at AT TIME ZONE 'UTC', '%Y-%m') AS month, count(*)::INT AS incidents FROM incidents
   WHERE created_at >= '2026-01-01T00:00:00Z' AND mode = 'standard' GROUP BY ALL ORDER BY month" >months.json

# Spark looks for its packages in the home folder, where another tool may have left half of one.
export SPARK_SUBMIT_OPTS="-Duser.home=$kept/spark" SPARK_CONF_DIR=$scratch/spark
mkdir "$SPARK_CONF_DIR"
# Made for clusters, it would cut these few rows into hundreds of tasks.
cat >"$SPARK_CONF_DIR/spark-defaults.conf" <<CONF
spark.master local[1]
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.sql.shuffle.partitions 1
spark.databricks.delta.snapshotPartitions 1
CONF
nice "$python" "$project/test/by-hand/readers.py" "$project" "$@"
