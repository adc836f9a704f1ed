#!/usr/bin/env bash
# Benchmark of the rotation of a decryption subkey. Prints tab-separated lines: name, value, unit.
#
#   tests/bench/run.sh rotate [options]
#     --sets N          envelopes in the store (default 1000; give it again for another size)
#     --workers N       (default 0: as the agent chooses)
#     --from rsa3072|ed25519   the key whose envelopes are rewrapped (default rsa3072, as agents are registered)
#     --to cv25519|rsa3072     the new subkey (default cv25519, as the agent makes it)
#     --set-bytes N     stored bytes of a set, for rotate_bytes_share (default 1000000000)
#     --build DIR       build folder (default build/release)
#
# rotate_envelopes_per_s     rewrapped: opened, encrypted to the new subkey, opened again, written, read back
# rotate_private_key_uses    gpg decryptions for each envelope
# rotate_bytes_share         bytes written over bytes stored; the size of the data does not enter
# rotate_cpu_ms              CPU time of all processes for each envelope, gpg-agent included
set -euo pipefail
umask 077
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build/release sizes=() workers=0 from=rsa3072 to=cv25519 set_bytes=1000000000
while [ $# -gt 0 ]; do
    case $1 in
        --sets) sizes+=("$2"); shift ;;
        --workers) workers=$2; shift ;;
        --from) from=$2; shift ;;
        --to) to=$2; shift ;;
        --set-bytes) set_bytes=$2; shift ;;
        --build) build=$2; shift ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "rotate.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done
ours=$build/bench/bench_rotate
[ -x "$ours" ] || { echo "rotate.sh: build first: tests/run.sh, or cmake --build $build" >&2; exit 1; }
dir=$(mktemp -d /tmp/srb.XXXXXX)
# shellcheck disable=SC2317
cleanup() { gpgconf --homedir "$dir/k" --kill all >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap cleanup EXIT
busy() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8}' /proc/stat; }
row() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
for sets in "${sizes[@]:-1000}"; do
    rm -rf "$dir/s" "$dir/k"
    key=$("$ours" make "$dir/k" "$dir/s" "$sets" "$from")
    before=$(busy)
    read -r seconds envelopes uses bytes <<<"$("$ours" rewrap "$dir/k" "$dir/s" "$key" "$workers" "$to")"
    after=$(busy)
    [ "$envelopes" -eq "$sets" ] || { echo "rotate.sh: $envelopes of $sets were rewrapped" >&2; exit 1; }
    row "rotate_seconds_$sets" "$seconds" s
    row "rotate_envelopes_per_s" "$(awk -v n="$envelopes" -v s="$seconds" 'BEGIN {printf "%.1f", n / s}')" 1/s
    row "rotate_private_key_uses" "$(awk -v n="$envelopes" -v u="$uses" 'BEGIN {printf "%.2f", u / n}')" 1
    row "rotate_bytes_share" "$(awk -v n="$envelopes" -v b="$bytes" -v d="$set_bytes" 'BEGIN {printf "%.8f", b / n / d * 100}')" %
    row "rotate_cpu_ms" "$(awk -v n="$envelopes" -v a="$before" -v b="$after" 'BEGIN {printf "%.1f", (b - a) * 10 / n}')" ms
    gpgconf --homedir "$dir/k" --kill all >/dev/null 2>&1 || true
done
