#!/usr/bin/env bash
# A backup that keeps out of the database's way: limits that change while it runs, nice and I/O class of all its processes,
# time-outs for a source and a store that hang, compression as chosen, and clear errors for wrong values.
source "$(dirname "$0")/lab.sh"

usage=2 config=3 timeout_code=18
lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(250)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, CONCAT_WS(" ", MD5(seq % 997), MD5(seq % 89), LEFT(MD5(seq % 1409), 20), MD5(seq % 211),
        MD5(seq % 3001)) FROM seq_1_to_100000'
lab_site
lab_agent_config agent source
cat >>"$lab/agent/agent.toml" <<C
segment-size = 262144
source-timeout = "4s"
store-timeout = "4s"
metrics-file = "$lab/agent/metrics.prom"
C
cp "$lab/agent/agent.toml" "$lab/good.toml"
lab_register_agent agent alice

say "values that are wrong are refused, with the key and what would be right"
refused_in_file() { # LINE TEXT
    { cat "$lab/good.toml"; echo "$1"; } >"$lab/agent/agent.toml"
    expect_failure $config "$2" agent agent status
    cp "$lab/good.toml" "$lab/agent/agent.toml"
}
refused_in_file 'level = 20' 'agent.toml line .*level.*1.*19'
refused_in_file 'compression = "lz4"' 'agent.toml line .*compression.*zstd'
refused_in_file 'read-limit = "fast"' 'agent.toml line .*"fast" is not a rate like 50MiB/s'
refused_in_file 'nice = 40' 'agent.toml line .*nice'
refused_in_file 'io-class = "slow"' 'agent.toml line .*io-class.*idle'
sed -i '/source-timeout/d' "$lab/good.toml"
refused_in_file 'source-timeout = "soon"' 'agent.toml line .*"soon" is not a time like 90s'
echo 'source-timeout = "4s"' >>"$lab/good.toml" && cp "$lab/good.toml" "$lab/agent/agent.toml"
expect_failure $usage 'level' agent agent --level 0 backup
expect_failure $usage 'at least 1KiB/s' agent agent throttle 5
expect_failure $usage '50MiB/s' agent agent throttle quick
expect_failure $usage 'one rate for both' agent agent throttle 5MiB/s --read 1MiB/s

say "level and compression arrive in the set, and both restore"
opened() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --set "$1" --stdout -q >"$lab/stream"; }
manifest() { jq -r "$2" "$lab/store/$server/sets/$1/manifest.json"; }
agent agent escrow >/dev/null
as alice recover --server "$server" --identity "$identity" --into "$lab/r" >/dev/null
default=$(agent agent backup -q)
none=$(agent agent --compression none backup -q)
small=$(agent agent --level 9 backup -q)
[ "$(manifest "$default" .compression)" = zstd ] && [ "$(manifest "$none" .compression)" = none ] || fail "the manifests name another compression"
stored() { find "$lab/store/$server/sets/$1/data" -type f -printf '%s\n' | awk '{s += $1} END {print s}'; }
[ "$(stored "$small")" -lt "$(stored "$default")" ] && [ "$(stored "$default")" -lt "$(stored "$none")" ] || fail "sizes: $(stored "$small") $(stored "$default") $(stored "$none")"
for set in "$default" "$none" "$small"; do
    opened "$set"
    [ "$(head -c 8 "$lab/stream")" = XBSTCK01 ] || fail "set $set does not restore"
    [ "$(stat -c %s "$lab/stream")" = "$(manifest "$set" '[.segments[].plain_size] | add')" ] || fail "set $set restores to another size"
done

say "a limit of the configuration holds, and status, throttle, job list and metrics show the progress"
echo 'read-limit = "1MiB/s"' >>"$lab/agent/agent.toml"
lab_run_agent agent
state_of() { as alice job list --server "$server" --json | jq -r --arg job "$1" '.jobs[] | select(.id == $job) | .state'; }
running() { agent agent status --json | jq -e '.progress.plain_bytes > 0' >/dev/null; }
job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
wait_until 60 running || fail "the backup does not start: $(cat "$lab/agent.log")"
sleep 6
agent agent status
agent agent throttle
agent agent throttle --json >"$lab/throttle.json"
jq -e '.read_limit == 1048576 and .read_set_by == "configuration" and .write_limit == 0
    and .running.read_rate > 200000 and .running.read_rate < 1400000' "$lab/throttle.json" >/dev/null || fail "$(cat "$lab/throttle.json")"
jq -e '.running.total_bytes > .running.plain_bytes' "$lab/throttle.json" >/dev/null || fail "no estimate: $(cat "$lab/throttle.json")"
expected=$(jq .running.total_bytes "$lab/throttle.json")
grep -q '^strongroom_agent_backup_running 1$' "$lab/agent/metrics.prom" || fail "$(cat "$lab/agent/metrics.prom")"
grep -qE '^strongroom_agent_backup_read_rate_bytes [1-9]' "$lab/agent/metrics.prom" || fail "$(cat "$lab/agent/metrics.prom")"
in_progress() { as alice job list --server "$server" --json | jq -e --arg job "$job" '.jobs[] | select(.id == $job) | .plain_bytes > 0 and .rate > 0 and .total_bytes > .plain_bytes' >/dev/null; }
wait_until 15 in_progress || fail "$(as alice job list --server "$server" --json)"
as alice job list --server "$server" | grep -E ' %.*/s' || fail "job list shows no progress"
in_metrics() { curl -sf "$admin/metrics" | grep -qE '^strongroom_dispatcher_running_rate_bytes [1-9]'; }
wait_until 25 in_metrics || fail "the dispatcher's metrics show no rate"

say "every process and worker thread of the backup is nice and idle; the daemon's own first thread is not"
descendants() { local child; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$child"; descendants "$child"; done; }
agent agent throttle --read 2MiB/s >/dev/null # more gpg to be seen: each lives for a blink, so nothing is forked to look at it
seen=' ' limit=$((SECONDS + 12))
until [[ $seen = *" gpg "* && $seen = *" maria"* ]] || [ $SECONDS -ge $limit ]; do
    for children in /proc/"$pid_agent"/task/*/children; do
        read -r -a pids 2>/dev/null <"$children" || true
        for pid in "${pids[@]}"; do
            { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
            name=${stat#*\(} name=${name%\)*}
            case $name in gpg | mariadb-backup | mariabackup) ;; *) continue ;; esac
            if [ "$name" = gpg ]; then # those for messages are the daemon's
                { mapfile -d '' words <"/proc/$pid/cmdline"; } 2>/dev/null || continue
                [[ " ${words[*]} " = *" --symmetric "* ]] || continue
            fi
            read -r -a fields <<<"${stat##*\) }" # from the third on; the nice value is the nineteenth
            [ "${fields[16]}" = 10 ] || fail "$name ($pid) has the nice value ${fields[16]}"
            class=$(ionice -p "$pid" 2>/dev/null) || class=
            { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
            [[ ${stat##*\) } != [ZX]* ]] || continue # what has ended has no class any more
            [[ -z $class || $class = idle* ]] || fail "$name ($pid) has the I/O class $class"
            [ -z "$class" ] || [[ $seen = *" $name "* ]] || seen+="$name "
        done
    done
done
[[ $seen = *" gpg "* && $seen = *" maria"* ]] || fail "only these were seen:$seen"
nice_threads=$(for stat in /proc/"$pid_agent"/task/*/stat; do { sed 's/.*) //' "$stat" 2>/dev/null || true; } | awk '{print $17}'; done | grep -c '^10$')
[ "$nice_threads" -ge 3 ] || fail "only $nice_threads threads of the agent are nice"
[ "$(sed 's/.*) //' "/proc/$pid_agent/stat" | awk '{print $17}')" = "$(nice)" ] || fail "the daemon itself is nice"
say "seen:$seen and $nice_threads threads"

say "throttle changes the running backup within two seconds"
in_state "$job" running || fail "the backup has ended too early: $(state_of "$job")"
bytes() { agent agent status --json | jq '.progress.plain_bytes // 0'; }
agent agent throttle --read 1KiB/s >/dev/null
sleep 2
first=$(bytes)
sleep 3
[ "$(bytes)" -le $((first + 100000)) ] || fail "it goes on at the former rate: $first, then $(bytes)"
started=$SECONDS
agent agent throttle off >/dev/null
wait_until 20 in_state "$job" succeeded || fail "the limit is not taken off: $(agent agent status)"
say "done $((SECONDS - started)) s after: throttle off"
grep -q 'AGENT_THROTTLED' "$lab/agent.log" || fail "the change is not in the log"
plain=$(as alice backup list --server "$server" --json | jq '.backups[0].plain_bytes')
say "estimate $expected bytes, read $plain"
[ "$expected" -ge $((plain * 80 / 100)) ] && [ "$expected" -le $((plain * 130 / 100)) ] || fail "the estimate is far off"
grep -q '^strongroom_agent_backup_running 0$' "$lab/agent/metrics.prom" || fail "the metrics still show a backup"

say "limits are kept over a restart, until default"
agent agent throttle --write 7MiB/s >/dev/null
lab_stop "$pid_agent"
lab_run_agent agent
agent agent throttle --json | jq -e '.write_limit == 7340032 and .write_set_by == "throttle" and .read_limit == 0' >/dev/null || fail "$(agent agent throttle)"
agent agent throttle default --json | jq -e '.write_limit == 0 and .read_limit == 1048576 and .read_set_by == "configuration"' >/dev/null || fail "$(agent agent throttle)"

say "a source that hangs is given up: the job fails with cause and stage, its processes end, nothing is listed"
sets() { find "$lab/store/$server/sets" -name manifest.json.sig | wc -l; }
before=$(sets)
job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
tool() { descendants "$pid_agent" | while read -r pid; do grep -qs '^maria' "/proc/$pid/comm" && echo "$pid"; done; }
has_tool() { running && [ -n "$(tool)" ]; }
wait_until 30 has_tool || fail "the backup tool does not start"
stopped=$(tool | head -1)
kill -STOP "$stopped"
wait_until 40 in_state "$job" failed || fail "the job goes on: $(as alice job list --json --server "$server")"
as alice job list --server "$server" --json | jq -e --arg job "$job" '.jobs[] | select(.id == $job) | .problem
    | .kind == "timeout" and .stage == "source" and (.text | test("sent nothing for 4 s"))' >/dev/null || fail "$(as alice job list --server "$server" --json)"
[ ! -e "/proc/$stopped" ] || fail "the backup tool was left behind: $(cat "/proc/$stopped/stat")"
[ "$(sets)" = "$before" ] || fail "a set is listed"
lab_stop "$pid_agent"

say "a store that hangs for ever is given up, and its remains are removed when it answers again"
# A frozen file system: a write sits in the kernel, and nothing can end it.
truncate -s 200M "$lab/disk"
mkfs.ext4 -q "$lab/disk"
mkdir "$lab/frozen"
mount -o loop "$lab/disk" "$lab/frozen" || fail "cannot mount a loop device"
thaw() { fsfreeze -u "$lab/frozen" 2>/dev/null; for ((i = 0; i < 50; i++)); do umount "$lab/frozen" 2>/dev/null && return 0; sleep 0.2; done; }
cleanup_and_exit() {
    local code=$?
    set +e
    thaw
    (exit $code)
    lab_cleanup
}
mkdir -m 700 "$lab/frozen/store"
sed -i "s#^store = .*#store = \"file://$lab/frozen/store\"#" "$lab/agent/agent.toml"
"$STRONGROOM_BIN/strongroom-agent" --config "$lab/agent/agent.toml" --read-limit 1MiB/s backup -q >"$lab/frozen.out" 2>"$lab/frozen.err" &
victim=$!
stored_some() { [ -n "$(find "$lab/frozen/store" -name '*.gpg' -path '*/data/*')" ]; }
wait_until 30 stored_some || fail "no segment was stored"
fsfreeze -f "$lab/frozen"
ended() { case $(sed 's/.*) //' "/proc/$victim/stat" 2>/dev/null | cut -c1) in '' | Z) return 0 ;; esac; grep -q HINT "$lab/frozen.err"; }
wait_until 40 ended || { fsfreeze -u "$lab/frozen"; fail "the backup hangs with its store"; }
cat "$lab/frozen.err"
[ -z "$(descendants $victim)" ] || { fsfreeze -u "$lab/frozen"; fail "children were left behind"; }
fsfreeze -u "$lab/frozen"
code=0
wait $victim || code=$?
[ $code = $timeout_code ] || fail "exit code $code"
grep -qE 'error: store: put of .*did not end within 4' "$lab/frozen.err" || fail "$(cat "$lab/frozen.err")"
[ -z "$(find "$lab/frozen" -name manifest.json.sig)" ] || fail "a set is listed"
[ -n "$(find "$lab/frozen/store" -path '*/data/*' -type f)" ] || fail "nothing was left: this part proves nothing"
agent agent backup -q >"$lab/set"
left=$(find "$lab/frozen/store" -path "*/data/*" -type f -not -path "*/$(cat "$lab/set")/*")
[ -z "$left" ] || fail "remains: $left"
say "all well"
