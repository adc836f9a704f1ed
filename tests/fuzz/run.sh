#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]   : builds the fuzz targets (preset fuzz: clang, libFuzzer, ASan, UBSan) and runs each so long,
#                                one after the other. Without a target: all. Prints one line for each, separated by tabs:
#                                target, seconds, executions, inputs kept, findings. The exit status is 1 if there are any.
# run.sh --merge [TARGET...]   : minimises what the runs kept into tests/fuzz/corpus, where the tests replay it.
#
# New inputs are kept in build/fuzz/kept/TARGET, inputs that break something in build/fuzz/findings. Packages: group fuzz
# of deploy/install-deps.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case ${1:-} in
    --merge) seconds= ;;
    [1-9]*) seconds=$1 ;;
    *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null

kept=build/fuzz/kept
findings=build/fuzz/findings
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
mkdir -p $findings
status=0
for target in "${targets[@]}"; do
    corpus=tests/fuzz/corpus/$target
    [ -d "$corpus" ] || { echo "run.sh: no target '$target'" >&2; exit 2; }
    mkdir -p "$kept/$target"
    program=build/fuzz/fuzz/fuzz_$target
    if [ -z "$seconds" ]; then
        smallest=$(mktemp -d)
        $program -merge=1 "$smallest" "$corpus" "$kept/$target" >"$findings/$target.merge.log" 2>&1
        rm -f "$corpus"/*
        find "$smallest" -type f -size -64k -exec cp {} "$corpus/" \;
        rm -rf "$smallest"
        echo "$target: $(find "$corpus" -type f | wc -l) inputs"
        continue
    fi
    log=$findings/$target.log
    code=0
    $program -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        -dict="tests/fuzz/dictionaries/$target.dict" -artifact_prefix="$findings/$target-" \
        "$kept/$target" "$corpus" >"$log" 2>&1 || code=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    found=$(find $findings -name "$target-*" | wc -l)
    [ $code -eq 0 ] || [ "$found" -gt 0 ] || found="exit code $code"
    [ "$found" = 0 ] || status=1
    printf '%s\t%s\t%s\t%s\t%s\n' "$target" "$seconds" "${executions:-0}" "$(find "$kept/$target" -type f | wc -l)" "$found"
done
exit $status
