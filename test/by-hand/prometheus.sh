#!/usr/bin/env bash
# The metrics of a real worker, and the alert rules, as Prometheus's own promtool judges them: the names and labels of
# /metrics, the rules' syntax, and when each alert fires.
#
#   apt-get update; npm run build; test/by-hand/prometheus.sh
source "$(dirname "$0")/lib.sh"

# promtool out of Debian's package, without installing the server; or one that is there.
find_promtool() {
  promtool=$(command -v promtool || echo "$kept/prometheus/usr/bin/promtool")
  [ -x "$promtool" ] && return
  mkdir -p "$kept/prometheus"
  (cd "$kept/prometheus" && apt-get download --quiet --quiet prometheus 2>/dev/null && dpkg-deb --extract prometheus_*.deb .)
}

find_promtool
"$promtool" --version 2>&1 | head -1

heading 'the alert rules'
"$promtool" check rules "$project/deploy/prometheus-alerts.yml"
"$promtool" test rules "$project/test/by-hand/prometheus-alerts-test.yml"

heading 'the metrics of a worker that has synced two tables'
start_sandbox --incidents 50
export XDG_STATE_HOME=$scratch/state
cd "$scratch"
incident_io_source link --connection prod --to "$scratch/warehouse" --base-url "$sandbox_url" \
  --key-env INCIDENT_IO_API_KEY --tables incidents,users --no-import --yes >"$scratch/link.log"
background node "$command" up --metrics 127.0.0.1:19464 >"$scratch/up.log" 2>&1
until_true curl --silent --fail --output /dev/null http://127.0.0.1:19464/metrics
incident_io_source trigger >/dev/null
scrape() { curl --silent --fail http://127.0.0.1:19464/metrics >"$scratch/metrics"; }
both_synced() { scrape && [ "$(grep -c 'incident_io_source_runs_total{.*outcome="synced".* [1-9]' "$scratch/metrics")" = 2 ]; }
until_true both_synced
wc -l <"$scratch/metrics" | sed 's/$/ lines/'

# Hints of the linter are about Temporal's own figures; every one about ours is a failure.
"$promtool" check metrics <"$scratch/metrics" >"$scratch/hints" 2>&1 || true
sed 's/^/promtool: /' "$scratch/hints"
! grep --invert-match '^temporal_' "$scratch/hints" || fail 'promtool objects to a figure of ours'
labels=$(grep --invert-match '^#' "$scratch/metrics" | grep --only-matching '[{,][A-Za-z_]*=' | tr -d '{,=' | sort --unique)
echo "labels: $(echo "$labels" | paste --serial --delimiters ' ')"
! grep '[A-Z]' <<<"$labels" || fail 'a label is not in snake_case'
for clashing in job instance pod service; do
  ! grep --line-regexp "$clashing" <<<"$labels" || fail "the label $clashing is one that scrapers set"
done

heading 'passed'
