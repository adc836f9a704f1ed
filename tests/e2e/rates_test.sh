#!/usr/bin/env bash
# Rates, measured from outside: what a write limit lets through to the store, what a read limit takes from it, the estimate of a
# logical dump, and the progress that `job wait` shows in a terminal and in a log.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(250)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, CONCAT_WS(" ", SHA2(seq, 256), SHA2(seq + 1000000, 256), SHA2(seq + 2000000, 256))
        FROM seq_1_to_40000; ANALYZE TABLE shop.orders'
lab_site
lab_agent_config agent source
sed -i 's/^source = .*/source = "mariadb-dump"/' "$lab/agent/agent.toml"
echo 'segment-size = 1048576' >>"$lab/agent/agent.toml"
lab_register_agent agent alice
agent agent escrow >/dev/null
as alice recover --server "$server" --identity "$identity" --into "$lab/r" >/dev/null

# within VALUE LOW HIGH
within() { awk -v v="$1" -v l="$2" -v h="$3" 'BEGIN {exit !(v >= l && v <= h)}'; }
now() { date +%s.%N; }
elapsed() { awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.2f", b - a}'; }
stored() { find "$lab/store/$server/sets/$1" -type f -printf '%s\n' | awk '{s += $1} END {print s}'; }
plain() { jq '[.segments[].plain_size] | add' "$lab/store/$server/sets/$1/manifest.json"; }

say "a write limit: the store is never written faster, and little slower"
limit=$((1024 * 1024))
started=$(now)
agent agent --write-limit 1MiB/s backup -q >"$lab/set"
seconds=$(elapsed "$started")
set=$(cat "$lab/set")
bytes=$(stored "$set")
say "$bytes bytes in $seconds s"
# One second's worth may go at once; the start of the dump and the commit come on top of the rest.
within "$seconds" "$(awk -v b="$bytes" -v l=$limit 'BEGIN {print b / l - 1.1}')" "$(awk -v b="$bytes" -v l=$limit 'BEGIN {print b / l + 6}')" ||
    fail "$bytes bytes at 1 MiB/s took $seconds s"
within "$bytes" 3000000 20000000 || fail "the set has $bytes bytes: this proves little"

say "a read limit: a restore takes no more from the store, which a stream reads twice unless told otherwise"
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --set "$set" --stdout -q "$@" >"$lab/stream"; }
timed_restore() { # READS ARGS... : so many times the set's bytes pass the limit
    local reads=$1 low high
    shift
    started=$(now)
    restore --read-limit 1MiB/s "$@"
    seconds=$(elapsed "$started")
    say "$seconds s with the limit ($*)"
    low=$(awk -v b="$bytes" -v l=$limit -v n="$reads" 'BEGIN {print n * b / l - 1.1}')
    high=$(awk -v b="$bytes" -v l=$limit -v n="$reads" 'BEGIN {print n * b / l + 4}')
    within "$seconds" "$low" "$high" || fail "$reads times $bytes bytes at 1 MiB/s took $seconds s"
    cmp "$lab/first" "$lab/stream" || fail "the limit changes what is restored"
}
started=$(now)
restore
unlimited=$(elapsed "$started")
cp "$lab/stream" "$lab/first"
[ "$(stat -c %s "$lab/stream")" = "$(plain "$set")" ] || fail "the stream is not whole"
grep -q 'CREATE TABLE `orders`' "$lab/stream" || fail "not a dump of the table"
timed_restore 2
timed_restore 1 --one-pass
within "$unlimited" 0 "$(awk -v s="$seconds" 'BEGIN {print s / 2}')" || fail "no faster without the limit: $unlimited s"
expect_failure 2 '--one-pass is for --pipe and --stdout' as alice restore --server "$server" --store "file://$lab/store" \
    --home "$lab/r" --datadir "$lab/none" --one-pass

say "damage at the end of a set: no byte is released, or with --one-pass the bytes before it and an error"
last=$(find "$lab/store/$server/sets/$set/data" -type f | sort | tail -1)
cp "$last" "$lab/good"
printf X | dd of="$last" bs=1 seek=1000 conv=notrunc status=none
expect_failure 12 'segment' restore
[ ! -s "$lab/stream" ] || fail "bytes of a damaged set were released"
expect_failure 12 'segment' restore --one-pass
[ -s "$lab/stream" ] && cmp -n "$(stat -c %s "$lab/stream")" "$lab/first" "$lab/stream" || fail "with --one-pass: wrong bytes"
[ "$(stat -c %s "$lab/stream")" -lt "$(stat -c %s "$lab/first")" ] || fail "with --one-pass: bytes of the damaged segment"
cp "$lab/good" "$last"

say "the estimate of a dump, and the progress of job wait, in a log and in a terminal"
echo 'read-limit = "640KiB/s"' >>"$lab/agent/agent.toml"
lab_run_agent agent
job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
shown() { agent agent status --json | jq -e '.progress.plain_bytes > 0 and .progress.total_bytes > 0' >/dev/null; }
wait_until 60 shown || fail "no progress with an estimate: $(agent agent status --json)"
expected=$(agent agent status --json | jq .progress.total_bytes)
# Inside `script` the client has a terminal, which is what a person has; the plain one has a file.
declare -f as >"$lab/as.sh"
declare -p lab STRONGROOM_BIN url fpr_alice job >>"$lab/as.sh"
COLUMNS=120 script -qec "bash -c 'source $lab/as.sh; as alice job wait $job --timeout 90'" "$lab/typescript" >"$lab/script.out" 2>&1 &
terminal=$!
lab_pids+=($terminal)
as alice job wait "$job" --timeout 90 >"$lab/wait.out" 2>"$lab/wait.err" || fail "$(cat "$lab/wait.err")"
wait $terminal || fail "job wait in a terminal: $(cat "$lab/script.out")"
cat "$lab/wait.err" "$lab/wait.out"
as alice job show "$job" --json >"$lab/job.json" 2>/dev/null || as alice job list --server "$server" --json | jq --arg job "$job" '.jobs[] | select(.id == $job)' >"$lab/job.json"
jq -e '.state == "succeeded"' "$lab/job.json" >/dev/null || fail "$(cat "$lab/job.json")"
grep -qE '^job .* succeeded, set [0-9A-Za-z-]+: [0-9.]+ MiB in 0:[12][0-9], [56][0-9]{2}( |\.).*KiB/s$' "$lab/wait.out" || fail "$(cat "$lab/wait.out")"
grep -qE '[0-9]+ ?%.*[KM]iB/s' "$lab/wait.err" || fail "no progress in the log: $(cat "$lab/wait.err")"
! grep -q $'[\r\033]' "$lab/wait.err" || fail "control characters in a log"
tr '\r' '\n' <"$lab/script.out" | grep -cE '[0-9]+ ?%.*[KM]iB/s' >"$lab/count" || fail "no progress in the terminal: $(cat -v "$lab/script.out")"
[ "$(cat "$lab/count")" -ge 2 ] || fail "the progress does not move: $(cat -v "$lab/script.out")"
newest=$(as alice backup list --server "$server" --json | jq -r '.backups[0].plain_bytes')
say "estimate $expected bytes, dumped $newest"
# The server estimates rows times length from samples; INSERT statements are longer than rows, pages hold free space.
within "$expected" "$((newest / 2))" "$((newest * 2))" || fail "the estimate is far off"
say "all well"
