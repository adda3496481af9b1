#!/usr/bin/env bash
# Tries every claim of the chapter "Other writers" of docs/operate.md: delta-rs changes a table, then `sync --to` runs.
# After what is allowed, the table holds the account again; after what stops a table, the run says so, and the way back
# works.
#
#   npm run build; test/by-hand/other-writers.sh [change…]
source "$(dirname "$0")/lib.sh"

python_with writers deltalake==1.6.6 pyarrow==26.0.1
start_sandbox --incidents 300
export XDG_STATE_HOME=$scratch/state
cd "$scratch"
nice "$python" "$project/test/by-hand/other-writers.py" "$command" "$sandbox_url" "$@"
