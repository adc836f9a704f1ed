#!/usr/bin/env bash
# Benchmark of the dispatcher: a real process on loopback, driven by bench_dispatcher. docs/scaling.md explains
# each figure. Prints tab-separated lines: name, value, unit.
#
#   tests/bench/run.sh dispatcher [options]
#     --only PHASE      jobs, register, sealed, flood or wait; may be given several times (default: all)
#     --agents N        that wait at once (default 10000; needs twice as many open files)
#     --registrations N (default 5000)   --jobs N (default 10000)
#     --keys N          real keys (default 200)   --threads N  of the bare GPGME loop (default 4)
#     --dir DIR         short path; keeps the keys for the next run (default: a new one in /tmp, removed at the end)
#     --build DIR       build folder (default build/release)
set -euo pipefail
umask 077
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build/release dir='' pass=()
while [ $# -gt 0 ]; do
    case $1 in
        --dir) dir=$2; shift ;;
        --build) build=$2; shift ;;
        --only | --agents | --registrations | --jobs | --keys | --threads) pass+=("$1" "$2"); shift ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "dispatcher.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done
ours=$build/bench/bench_dispatcher program=$build/bin/strongroom-dispatcher
[ -x "$ours" ] && [ -x "$program" ] || { echo "dispatcher.sh: build first: tests/run.sh, or cmake --build $build" >&2; exit 1; }
ulimit -n "$(ulimit -Hn)"
if [ -z "$dir" ]; then
    dir=$(mktemp -d /tmp/srb.XXXXXX)
    # shellcheck disable=SC2317
    cleanup() { for home in "$dir/k" "$dir/s/gnupg"; do gpgconf --homedir "$home" --kill all >/dev/null 2>&1 || true; done; rm -rf "$dir"; }
    trap cleanup EXIT
fi
"$ours" "$program" "$dir" ${pass[@]+"${pass[@]}"} 2> >(grep -v ' DISPATCHER_' >&2)
