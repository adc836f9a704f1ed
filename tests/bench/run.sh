#!/usr/bin/env bash
# Benchmarks against the real peers, in the same run. Prints tab-separated lines: name, value, unit; ratios last.
#
#   tests/bench/run.sh seal|open [options]
#   tests/bench/run.sh sweep [options]   what seal costs over size, workers and segment size: lines
#                                        "dimension value wall-s cpu-s peak-MiB", which plot.sh draws
#   tests/bench/run.sh dispatcher [options]   the dispatcher under load (dispatcher.sh --help; docs/scaling.md)
#   tests/bench/run.sh stores [options]       seal to and open from S3 on loopback (stores.sh --help; docs/stores.md)
#   tests/bench/run.sh rotate [options]       rotation of the decryption subkey (rotate.sh --help)
#   tests/bench/run.sh depth [options]        increments, proofs by restoring, point in time (depth.sh --help; docs/chains.md)
#     --input FILE      the plain stream (default: an xbstream of a private MariaDB with 1 GB of sysbench, world and DBT-3 tables)
#     --rounds N        rounds of A B A B (default 5); medians are printed
#     --workers N       (default 2)   --level N  zstd level (default 1)   --segment BYTES (default 33554432)
#     --dir DIR         where inputs and stores are made (default: a folder in $TMPDIR or /tmp, removed at the end)
#     --build DIR       build folder (default build/release)
#     --keep-input FILE keeps the input that was made
#     --large           also seals the input seven times in a row (8 GB) and prints that run's peak memory
#     --fast            leaves out `gzip | gpg -e`, which takes minutes
set -euo pipefail
umask 077
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
what=${1:-}
if [ "$what" = dispatcher ] || [ "$what" = stores ] || [ "$what" = rotate ] || [ "$what" = depth ]; then shift; exec "$top/tests/bench/$what.sh" "$@"; fi
case $what in seal | open | sweep) shift ;; -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;; *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;; esac
input='' large=false rounds=5 workers=2 level=1 segment=33554432 dir='' build=$top/build/release keep='' fast=false
while [ $# -gt 0 ]; do
    case $1 in
        --input) input=$(realpath "$2"); shift ;;
        --rounds) rounds=$2; shift ;;
        --workers) workers=$2; shift ;;
        --level) level=$2; shift ;;
        --segment) segment=$2; shift ;;
        --dir) dir=$2; shift ;;
        --build) build=$2; shift ;;
        --keep-input) keep=$2; shift ;;
        --fast) fast=true ;;
        --large) large=true ;;
        *) echo "run.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done
measure=$build/bench/bench_measure ours=$build/bench/bench_data_path
[ -x "$measure" ] && [ -x "$ours" ] || { echo "run.sh: build first: tests/run.sh, or cmake --build $build" >&2; exit 1; }
for tool in zstd gpg age gzip sha256sum; do command -v $tool >/dev/null || { echo "run.sh: $tool is not installed (deploy/install-deps.sh bench)" >&2; exit 1; }; done
work=$(mktemp -d "${dir:-${TMPDIR:-/tmp}}/srb.XXXXXX")
keys=$(mktemp -d /tmp/srk.XXXXXX)
# shellcheck disable=SC2317
cleanup() { for h in "$keys/own" "$keys/peer"; do gpgconf --homedir "$h" --kill all >/dev/null 2>&1 || true; done; rm -rf "$work" "$keys"; }
trap cleanup EXIT
note() { echo "# $*" >&2; }

if [ -z "$input" ]; then
    note "making the input"
    input=$work/input
    "$top/tests/bench/make-input.sh" "$work/db" >"$input"
    [ -z "$keep" ] || cp "$input" "$keep"
fi
size=$(stat -c %s "$input")
cat "$input" >/dev/null # into the page cache, for everybody

identity=$("$ours" init "$keys/own")
mkdir -m 700 "$keys/peer"
gpg --homedir "$keys/peer" --batch --quiet --passphrase '' --quick-generate-key 'peer <peer@test.invalid>' rsa3072 cert,sign never 2>/dev/null
peer=$(gpg --homedir "$keys/peer" --with-colons --list-keys 2>/dev/null | awk -F: '/^fpr/ {print $10; exit}')
gpg --homedir "$keys/peer" --batch --quiet --passphrase '' --quick-add-key "$peer" rsa3072 encr never 2>/dev/null
age-keygen -o "$keys/age" 2>/dev/null
recipient=$(age-keygen -y "$keys/age")
gpg_e="gpg --homedir $keys/peer --batch --quiet --trust-model always -e -r $peer"
gpg_d="gpg --homedir $keys/peer --batch --quiet -d"

declare -A walls cpus peaks
once() { # NAME COMMAND... : one timed run of a shell command line
    local name=$1 result
    shift
    result=$("$measure" bash -o pipefail -c "$*" 3>&1 >"$work/out.txt") || { echo "run.sh: $name failed: $*" >&2; exit 1; }
    read -r w c m <<<"$result"
    walls[$name]+="$w " cpus[$name]+="$c " peaks[$name]+="$m "
}
median() { tr ' ' '\n' <<<"$1" | grep -v '^$' | sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
maximum() { tr ' ' '\n' <<<"$1" | grep -v '^$' | sort -n | tail -1; }
row() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
ratio() { row "$1" "$(awk -v a="$2" -v b="$3" 'BEGIN {printf "%.3f", a / b}')" "$4"; }
wall() { median "${walls[$1]}"; }
cpu() { median "${cpus[$1]}"; }
report() { # NAMES...
    local name
    row input "$size" bytes
    for name in "$@"; do
        row "${name}_s" "$(wall "$name")" s
        row "${name}_cpu_s" "$(cpu "$name")" s
        row "${name}_peak_mib" "$(maximum "${peaks[$name]}")" MiB
    done
}

if [ "$what" = seal ]; then
    names=(seal plain zstd_gpg zstd_age)
    for ((i = 1; i <= rounds; i++)); do
        note "round $i of $rounds"
        once seal "$ours seal $keys/own $identity $work/store $input $workers $level $segment"
        stored=$(find "$work/store" -path '*/sets/*' -type f -printf '%s\n' | awk '{s += $1} END {print s}')
        rm -rf "$work/store"
        once plain "$ours plain $keys/own $identity $work/store $input $workers $level $segment"
        rm -rf "$work/store"
        once zstd_gpg "zstd -q -$level -T0 -c $input | $gpg_e -z0 -o $work/o.gpg && sync $work/o.gpg"
        rm -f "$work/o.gpg"
        once zstd_age "zstd -q -$level -T0 -c $input | age -r $recipient -o $work/o.age && sync $work/o.age"
        rm -f "$work/o.age"
    done
    if $large; then
        once seal_large "{ for i in 1 2 3 4 5 6 7; do cat $input; done; } | $ours seal $keys/own $identity $work/store /dev/stdin $workers $level $segment"
        names+=(seal_large)
        rm -rf "$work/store"
    fi
    zstd_bytes=$(zstd -q "-$level" -T0 -c "$input" | wc -c)
    if ! $fast; then
        note "gzip | gpg -e, gpg's defaults: one round"
        once gzip_gpg "gzip -c $input | $gpg_e -o $work/o.gpg && sync $work/o.gpg"
        names+=(gzip_gpg)
    fi
    report "${names[@]}"
    row seal_mb_per_s "$(awk -v s="$size" -v t="$(wall seal)" 'BEGIN {printf "%.0f", s / t / 1e6}')" MB/s
    $fast || ratio seal_over_gzip_gpg "$(wall gzip_gpg)" "$(wall seal)" 'times faster'
    ratio seal_over_zstd_gpg "$(wall zstd_gpg)" "$(wall seal)" 'times faster'
    ratio seal_over_zstd_age "$(wall zstd_age)" "$(wall seal)" 'times faster'
    ratio seal_time_over_plain "$(wall seal)" "$(wall plain)" 'of the time'
    ratio seal_cpu_over_zstd_gpg "$(cpu seal)" "$(cpu zstd_gpg)" 'of the CPU time'
    row seal_peak_mib "$(maximum "${peaks[seal]}")" MiB
    ratio seal_bytes_over_zstd "$stored" "$zstd_bytes" 'of the bytes'
elif [ "$what" = sweep ]; then
    sweep() { # DIMENSION VALUE INPUT WORKERS SEGMENT
        for ((i = 1; i <= rounds; i++)); do
            once "$1.$2" "$ours seal $keys/own $identity $work/store $3 $4 $level $5"
            rm -rf "$work/store"
        done
        printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$(wall "$1.$2")" "$(cpu "$1.$2")" "$(maximum "${peaks[$1.$2]}")"
    }
    mib=1048576
    for ((n = 128 * mib; n < size; n *= 2)); do
        head -c $n "$input" >"$work/part"
        sweep size_mib $((n / mib)) "$work/part" "$workers" "$segment"
    done
    rm -f "$work/part"
    sweep size_mib $((size / mib)) "$input" "$workers" "$segment"
    for n in 1 2 3 4; do sweep workers $n "$input" $n "$segment"; done
    for n in 1 4 8 16 32 64; do sweep segment_mib $n "$input" "$workers" $((n * mib)); done
else
    names=(open checked gpg_zstd)
    set_id=$("$ours" seal "$keys/own" "$identity" "$work/store" "$input" "$workers" "$level" "$segment")
    zstd -q "-$level" -T0 -c "$input" | $gpg_e -z0 -o "$work/o.gpg"
    (cd "$work" && sha256sum o.gpg >o.sha256)
    for ((i = 1; i <= rounds; i++)); do
        note "round $i of $rounds"
        once open "$ours open $keys/own $identity $work/store $set_id $workers >/dev/null"
        once checked "cd $work && sha256sum --quiet -c o.sha256 && $gpg_d o.gpg 2>/dev/null | zstd -q -d -c >/dev/null"
        once gpg_zstd "$gpg_d $work/o.gpg 2>/dev/null | zstd -q -d -c >/dev/null"
    done
    "$ours" open "$keys/own" "$identity" "$work/store" "$set_id" "$workers" | cmp - "$input" || { echo "run.sh: the opened stream differs" >&2; exit 1; }
    report "${names[@]}"
    ratio open_over_checked "$(wall checked)" "$(wall open)" 'times faster'
    ratio open_over_gpg_zstd "$(wall gpg_zstd)" "$(wall open)" 'times faster'
fi
