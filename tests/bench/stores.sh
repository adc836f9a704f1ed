#!/usr/bin/env bash
# Stores against each other and against stock tools, in the same run. Prints tab-separated lines: name, value, unit.
#
#   tests/bench/run.sh stores --input FILE [--rounds N] [--workers N] [--build DIR]
#     --delay MS            the server is reached over a link with this delay each way ...
#     --rate BYTES          ... and at most so many bytes a second in each direction of each connection (a proxy)
#     --shared-rate BYTES   at most so many bytes a second in each direction for all connections together
#                           (tc tbf in a network namespace of its own; needs root)
#
# The S3 server is Ceph's radosgw with its objects in memory, on this machine: it takes its share of the cores, so the ratios
# say what the S3 path costs here, not what a network allows. Rounds are interleaved, medians are printed.
#
#   seal_s3_over_local      time of a seal to S3 over one to a folder (in /dev/shm, which writes nothing to a disk either)
#   seal_parallel_over_one  time of a seal to S3 with one worker and one connection over one with all: how much the parallel
#                           puts bring
#   open_s3_over_curl       time of `curl | gpg -d | zstd -d`, unchecked, over ours, every digest checked
#   restic_over_seal        time of a first `restic backup` of the same bytes to the same server, over ours (if it is installed)
#   rclone_over_seal        the same of `zstd | rclone rcat` into a crypt remote
set -euo pipefail
umask 077
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
arguments=("$@")
input='' rounds=3 workers=2 build=$top/build/release delay=0 rate=0 shared=0
while [ $# -gt 0 ]; do
    case $1 in
        --input) input=$(realpath "$2"); shift ;;
        --rounds) rounds=$2; shift ;;
        --workers) workers=$2; shift ;;
        --build) build=$2; shift ;;
        --delay) delay=$2; shift ;;
        --rate) rate=$2; shift ;;
        --shared-rate) shared=$2; shift ;;
        *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
    esac
    shift
done
[ -n "$input" ] || { echo "stores.sh: name an input: --input FILE (run.sh seal --keep-input FILE makes one)" >&2; exit 2; }
if [ "$shared" != 0 ] && [ -z "${STRONGROOM_BENCH_OWN_NETWORK:-}" ]; then
    STRONGROOM_BENCH_OWN_NETWORK=yes exec unshare --net -- "$0" "${arguments[@]}"
fi
[ "$shared" = 0 ] || ip link set lo up
measure=$build/bench/bench_measure ours=$build/bench/bench_data_path
work=$(mktemp -d /dev/shm/srb.XXXXXX)
keys=$(mktemp -d /tmp/srk.XXXXXX)
# shellcheck disable=SC2317
cleanup() {
    [ -z "${link:-}" ] || kill "$link" 2>/dev/null || true
    bash "$top/tests/support/s3_server.sh" down "$work/s3" || true
    gpgconf --homedir "$keys/own" --kill all >/dev/null 2>&1 || true
    rm -rf "$work" "$keys"
}
trap cleanup EXIT
bash "$top/tests/support/s3_server.sh" up "$work/s3" $$
bash "$top/tests/support/s3_server.sh" user "$work/s3" bench
port=$(cat "$work/s3/port")
if [ "$shared" != 0 ]; then # what passes the gateway's port; its own traffic with its disks is not held up
    tc qdisc add dev lo root handle 1: htb default 1
    tc class add dev lo parent 1: classid 1:1 htb rate 10gbit quantum 65536
    for direction in 2:sport 3:dport; do
        class=${direction%:*}
        tc class add dev lo parent 1: classid "1:$class" htb rate 10gbit quantum 65536
        tc qdisc add dev lo parent "1:$class" tbf rate "${shared}bps" burst 128kb limit 4mb
        tc filter add dev lo parent 1: protocol ip u32 match ip "${direction#*:}" "$port" 0xffff flowid "1:$class"
    done
fi
if [ "$delay" != 0 ] || [ "$rate" != 0 ]; then
    "$build/bench/bench_slow_link" "$port" "$delay" "$rate" >"$work/link-port" &
    link=$!
    for ((i = 0; i < 100; i++)); do [ -s "$work/link-port" ] && break || sleep 0.05; done
    port=$(cat "$work/link-port")
fi
STRONGROOM_BENCH_S3_ENDPOINT=http://127.0.0.1:$port
unset AWS_CA_BUNDLE # rclone does not start with it
export STRONGROOM_BENCH_S3_ENDPOINT AWS_ACCESS_KEY_ID=key-bench AWS_SECRET_ACCESS_KEY=secret-bench
empty=$(sha256sum </dev/null | cut -d' ' -f1)
signed=(curl -sS -f --aws-sigv4 aws:amz:us-east-1:s3 -u key-bench:secret-bench -H "x-amz-content-sha256: $empty")
"${signed[@]}" -X PUT "$STRONGROOM_BENCH_S3_ENDPOINT/bench"
identity=$("$ours" init "$keys/own")
cat "$input" >/dev/null
declare -A walls
once() { # NAME COMMAND : one timed run of a shell command line; its output in $work/out.txt
    local result
    result=$("$measure" bash -o pipefail -c "$2" 3>&1 >"$work/out.txt" 2>"$work/err.txt") || { echo "stores.sh: $1 failed: $(tail -3 "$work/err.txt")" >&2; exit 1; }
    walls[$1]+="${result%% *} "
}
median() { tr ' ' '\n' <<<"${walls[$1]}" | grep -v '^$' | sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
ratio() { printf '%s\t%s\t%s\n' "$1" "$(awk -v a="$(median "$2")" -v b="$(median "$3")" 'BEGIN {printf "%.2f", a / b}')" times; }
server=0a1b2c3d-1111-4222-8333-444455556666
fetch() { # SET : the stock pipeline's command line
    local base=$STRONGROOM_BENCH_S3_ENDPOINT/bench/$server/sets/$1
    "${signed[@]}" "$base/envelope.gpg" | gpg --homedir "$keys/own" --batch --quiet -d >"$keys/passphrase" 2>/dev/null
    local count
    count=$("${signed[@]}" "$base/manifest.json" | grep -c '^{"index":')
    printf 'for ((i = 0; i < %d; i++)); do %s "$(printf %%s/data/%%06d.gpg %s $i)" | gpg --homedir %s --batch --quiet --pinentry-mode loopback --passphrase-file %s -d; done | zstd -d -q -c >/dev/null' \
        "$count" "$(printf '%q ' "${signed[@]}")" "$base" "$keys/own" "$keys/passphrase"
}
names=(seal_local seal_s3 seal_s3_one open_s3 open_curl)
restic=false rclone=false
! command -v restic >/dev/null || { restic=true; names+=(restic); }
! command -v rclone >/dev/null || { rclone=true; names+=(rclone); }
for ((round = 1; round <= rounds; round++)); do
    echo "# round $round of $rounds" >&2
    once seal_local "$ours seal $keys/own $identity $work/store $input $workers 1 33554432"
    rm -rf "$work/store"
    once seal_s3_one "STRONGROOM_BENCH_S3_CONNECTIONS=1 $ours seal $keys/own $identity s3://bench $input 1 1 33554432"
    once seal_s3 "$ours seal $keys/own $identity s3://bench $input $workers 1 33554432"
    set=$(cat "$work/out.txt")
    once open_s3 "$ours open $keys/own $identity s3://bench $set $workers >/dev/null"
    once open_curl "$(fetch "$set")"
    if $restic; then
        export RESTIC_PASSWORD=bench RESTIC_REPOSITORY=s3:$STRONGROOM_BENCH_S3_ENDPOINT/restic-$round RESTIC_CACHE_DIR=$work/cache
        "${signed[@]}" -X PUT "$STRONGROOM_BENCH_S3_ENDPOINT/restic-$round"
        restic -q init >/dev/null
        once restic "restic -q backup --stdin <$input"
    fi
    if $rclone; then
        export RCLONE_CONFIG_S_TYPE=s3 RCLONE_CONFIG_S_PROVIDER=Ceph RCLONE_CONFIG_S_ENDPOINT=$STRONGROOM_BENCH_S3_ENDPOINT RCLONE_CONFIG_S_ENV_AUTH=true \
            RCLONE_CONFIG_C_TYPE=crypt RCLONE_CONFIG_C_REMOTE=s:bench/rclone RCLONE_CONFIG=$work/none
        RCLONE_CONFIG_C_PASSWORD=$(rclone obscure bench) && export RCLONE_CONFIG_C_PASSWORD
        once rclone "zstd -q -1 -T0 -c $input | rclone -q rcat c:stream-$round"
    fi
done
printf 'input\t%s\tbytes\n' "$(stat -c %s "$input")"
printf 'link\tdelay %s ms, %s bytes/s for each connection, %s for all (0: no limit)\t\n' "$delay" "$rate" "$shared"
for name in "${names[@]}"; do printf '%s_s\t%s\ts\n' "$name" "$(median "$name")"; done
ratio seal_s3_over_local seal_s3 seal_local
ratio seal_parallel_over_one seal_s3_one seal_s3
ratio open_s3_over_curl open_curl open_s3
! $restic || ratio restic_over_seal restic seal_s3
! $rclone || ratio rclone_over_seal rclone seal_s3
