#!/usr/bin/env bash
# Benchmark of increments, proofs by restoring and point in time, with the real programs. Prints tab-separated lines: name, value, unit.
#
#   tests/bench/run.sh depth [options]
#     --rows N          rows of each of four sysbench tables (default 500000: about 0.5 GB of data files)
#     --rounds N        (default 3); medians are printed
#     --only PART       increments, logs or dumps (default: all)
#     --build DIR       build folder (default build/release)
#
# increment_time_over_full        an increment's seconds over a full backup's, after a change of 1 % of the rows
# increment_bytes_over_full       stored bytes, likewise: one row range of 1 % (what a growing table does)
# increment_scattered_over_full   stored bytes, 1 % of the rows all over the tables: most pages hold one of them
# increment_idle_over_full        stored bytes, nothing changed
# verify_over_open                strongroom-agent verify --full over strongroom restore --prepare of the same set
# stream_tps_loss_percent         transactions a second of sysbench oltp_write_only that log-stream costs, of those without it
# replay_over_plain               rate of restore --until latest, without what restore --prepare of that set takes, over that of
#                                 `mariadb-binlog | mariadb` into a server that runs
# mydumper_over_dump              seconds of a backup with source mydumper over those with mariadb-dump
# mydumper_over_plain             ... over mydumper itself, which writes the same files in plain text to the disk
# myloader_over_sql               restoring that set by --dump-folder and myloader over restoring it as SQL
# mydumper_most_in_memory         most of its files that waited in memory
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build/release rows=500000 rounds=3 only=''
while [ $# -gt 0 ]; do
    case $1 in
        --rows) rows=$2; shift ;;
        --rounds) rounds=$2; shift ;;
        --only) only=$2; shift ;;
        --build) build=$2; shift ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "depth.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done
case $only in "" | increments | logs | dumps) ;; *) echo "depth.sh: --only increments, logs or dumps" >&2; exit 2 ;; esac
command -v sysbench >/dev/null || { echo "depth.sh: sysbench is not installed (deploy/install-deps.sh bench)" >&2; exit 1; }
export STRONGROOM_BIN=$build/bin
STRONGROOM_KEYS=$(find "$build" -name development-secret.asc -printf '%h\n' | head -1)
export STRONGROOM_KEYS
[ -x "$STRONGROOM_BIN/strongroom" ] || { echo "depth.sh: build first: tests/run.sh, or cmake --build $build" >&2; exit 1; }
exec 5>&1 1>&2
source "$top/tests/e2e/lab.sh"
row() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >&5; }
median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.4f", a / b}'; }
timed() { # FILE COMMAND... : its seconds are added to FILE
    local file=$1 from
    shift
    from=$(date +%s.%N)
    "$@"
    awk -v a="$from" -v b="$(date +%s.%N)" 'BEGIN {print b - a}' >>"$file"
}
backup() { agent bench backup "$@" -q --json >"$lab/made.json"; }
made() { jq -r ".$1" "$lab/made.json"; }

say "a database of 4 x $rows rows"
lab_mariadb source
sql source 'CREATE DATABASE sbtest'
sysbench oltp_write_only --mysql-socket="$lab/source/s.sock" --mysql-user=root --tables=4 --table-size="$rows" --threads=2 prepare >"$lab/prepare.log"
lab_site
lab_agent_config bench source
mkdir -m 711 "$lab/proof" # as root the private server runs as mysql
printf 'proof-folder = "%s"\n' "$lab/proof" >>"$lab/bench/agent.toml"
lab_register_agent bench alice
agent bench escrow >/dev/null
one=$((rows / 100))
as alice recover --server "$server" --identity "$identity" --into "$lab/home" >/dev/null
update() { # CONDITION
    for table in 1 2 3 4; do sql source "UPDATE sbtest.sbtest$table SET c = MD5(RAND()) WHERE $1"; done
}
increments_part() {
    local round full full_bytes
    for ((round = 1; round <= rounds; round++)); do
        say "round $round of $rounds"
        timed "$lab/full" backup
        full=$(made set) full_bytes=$(made stored_bytes)
        backup --incremental
        ratio "$(made stored_bytes)" "$full_bytes" >>"$lab/idle" && echo >>"$lab/idle"
        update "id BETWEEN $((round * one)) AND $((round * one + one - 1))"
        timed "$lab/increment" backup --incremental
        [ "$(made kind)" = incremental ] || fail "no increment was made"
        ratio "$(made stored_bytes)" "$full_bytes" >>"$lab/range" && echo >>"$lab/range"
        update "id % 100 = $round"
        backup --incremental
        ratio "$(made stored_bytes)" "$full_bytes" >>"$lab/scattered" && echo >>"$lab/scattered"
        timed "$lab/open" as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$full" --datadir "$lab/data" --prepare -q
        rm -rf "$lab/data"
        timed "$lab/verify" agent bench verify --full --set "$full" --json >"$lab/verified.json"
    done
    row full_seconds "$(median <"$lab/full")" s
    row increment_seconds "$(median <"$lab/increment")" s
    row open_seconds "$(median <"$lab/open")" s
    row verify_seconds "$(median <"$lab/verify")" s
    row increment_time_over_full "$(ratio "$(median <"$lab/increment")" "$(median <"$lab/full")")" 1
    row increment_bytes_over_full "$(median <"$lab/range")" 1
    row increment_scattered_over_full "$(median <"$lab/scattered")" 1
    row increment_idle_over_full "$(median <"$lab/idle")" 1
    row verify_over_open "$(ratio "$(median <"$lab/verify")" "$(median <"$lab/open")")" 1
}
source "$top/tests/bench/depth_logs.sh"
source "$top/tests/bench/depth_dumps.sh"
for part in increments logs dumps; do
    [ -n "$only" ] && [ "$only" != "$part" ] || "${part}_part"
done
