#!/usr/bin/env bash
# Rules about files: layout, length, names, shell syntax, no unfinished work, no machine paths.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
fail() { echo "$1"; status=1; }

mapfile -t sources < <(find agent client common dispatcher proto tests -name '*.[ch]pp' | sort)
mapfile -t scripts < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*\b(ba)?sh\b' . | sort)
[ ${#sources[@]} -gt 0 ] && [ ${#scripts[@]} -gt 0 ] || { echo "tree.sh: no sources found"; exit 1; }

unformatted=$(clang-format --dry-run "${sources[@]}" 2>&1 | sed -nE 's/^([^:]+):.*-Wclang-format-violations.*/\1/p' | sort -u)
[ -z "$unformatted" ] || fail "not formatted (run clang-format -i):"$'\n'"$unformatted"

# A suite of cases may be longer.
for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    limit=400
    [[ $file != tests/* ]] || limit=500
    [ "$lines" -le $limit ] || fail "$file has $lines lines: a file holds one concept ($limit at most)"
    [[ $file != *.hpp ]] || grep -q '^#pragma once' "$file" || fail "$file: no #pragma once"
done

for script in "${scripts[@]}"; do
    bash -n "$script" || fail "$script: syntax error"
done

vague=$(find . -path ./build -prune -o -path ./.git -prune -o -type f -print |
    grep -iE '/[^/]*(util|helper|manager|misc)[^/]*$' || true)
[ -z "$vague" ] || fail "vague file names:"$'\n'"$vague"

# Written in halves so that this file does not find itself.
unfinished=$(grep -rnE --exclude-dir=build --exclude-dir=.git --include='*.[ch]pp' --include='*.sh' \
    --include='*.md' --include='CMakeLists.txt' --include='*.cmake' "TO""DO|FIX""ME|X""XX:" . || true)
[ -z "$unfinished" ] || fail "unfinished work:"$'\n'"$unfinished"

[ $status -ne 0 ] || echo "tree.sh: ${#sources[@]} sources, ${#scripts[@]} scripts in order"
exit $status
