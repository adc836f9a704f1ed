#!/usr/bin/env bash
# events.sh [ROOT]: every log event in the code stands in docs/events.md, and every event there is in the code.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}"
shape='(AGENT|DISPATCHER|CLIENT|CHILD|STORE)_[A-Z0-9_]+'
# In the code an id is a whole string literal.
mapfile -t code < <(grep -rhoE --include='*.cpp' --include='*.hpp' "\"$shape\"" agent client common dispatcher proto | tr -d '"' | sort -u)
mapfile -t docs < <(grep -oE "\`$shape\`" docs/events.md | tr -d '`' | sort -u)
[ ${#code[@]} -gt 0 ] && [ ${#docs[@]} -gt 0 ] || { echo "events.sh: no events found"; exit 1; }
status=0
while IFS= read -r event; do
    echo "$event is logged but not in docs/events.md"; status=1
done < <(comm -23 <(printf '%s\n' "${code[@]}") <(printf '%s\n' "${docs[@]}"))
while IFS= read -r event; do
    echo "$event is in docs/events.md but nowhere in the code"; status=1
done < <(comm -13 <(printf '%s\n' "${code[@]}") <(printf '%s\n' "${docs[@]}"))
# What looks like an event but is not a plain literal escapes the comparison.
if odd=$(grep -rnE --include='*.cpp' 'log_event\(Level::\w+, +[a-z_]+,' agent client common dispatcher proto); then
    echo "an event id must be a literal:"; echo "$odd"; status=1
fi
[ $status -ne 0 ] || echo "events.sh: ${#code[@]} events, all documented"
exit $status
