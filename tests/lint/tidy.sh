#!/usr/bin/env bash
# tidy.sh BUILD_DIR changed|all : clang-tidy with the checks of .clang-tidy; any finding is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:?build folder}
mode=${2:?changed or all}
[ -f "$build/compile_commands.json" ] || { echo "tidy.sh: $build is not configured" >&2; exit 2; }

mapfile -t files < <(find agent client common dispatcher proto -name '*.cpp' -not -path 'dispatcher/http/*' | sort)
if [ "$mode" = changed ]; then
    base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
    [ -n "$base" ] || { echo "tidy.sh: no main branch to compare with; use --tidy-all" >&2; exit 2; }
    mapfile -t files < <(comm -12 <(printf '%s\n' "${files[@]}") \
        <({ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u))
fi
if [ ${#files[@]} -eq 0 ]; then
    echo "tidy.sh: no changed file"
    exit 0
fi
echo "tidy.sh: ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option
