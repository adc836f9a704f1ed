#!/usr/bin/env bash
# deploy/monitoring with promtool: the rules are valid, each has a case in which it fires and one in which it stays quiet, all
# cases hold, and the operator guide names each rule.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rules=deploy/monitoring/strongroom.rules.yml cases=deploy/monitoring/strongroom.rules.test.yml status=0
if ! command -v promtool >/dev/null; then
    echo "monitoring.sh: promtool is not installed (package prometheus)"
    exit 1
fi
promtool check rules "$rules" || status=1
(cd "$(dirname "$rules")" && promtool test rules "$(basename "$cases")") || status=1
mapfile -t names < <(sed -nE 's/^ *- alert: (\w+)$/\1/p' "$rules")
[ ${#names[@]} -gt 0 ] || { echo "monitoring.sh: no rules found"; exit 1; }
for name in "${names[@]}"; do
    grep -qE "name: $name fires" "$cases" || { echo "$name: no case in which it fires"; status=1; }
    grep -qE "name: $name stays quiet" "$cases" || { echo "$name: no case in which it stays quiet"; status=1; }
    grep -qF "\`$name\`" docs/operator-guide.md || { echo "$name: not in docs/operator-guide.md"; status=1; }
done
exit $status
