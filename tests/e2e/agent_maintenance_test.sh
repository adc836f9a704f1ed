#!/usr/bin/env bash
# The agent looks after what it stored: by command, by the user's job and by schedule, within the host's own policy.
source "$(dirname "$0")/lab.sh"

usage=2 refused=7 corrupt=12
alert_interval=2
lab_site
seq 1 50000 >"$lab/data"
lab_file_agent_config agent "$lab/data" 'min-interval = 0' 'segment-size = 65536'
lab_register_agent agent alice
cp "$lab/agent/agent.toml" "$lab/agent.toml"
config() { { cat "$lab/agent.toml" && printf '%s\n' "$@"; } >"$lab/agent/agent.toml"; }
sets=()
for _ in 1 2 3; do sets+=("$(agent agent backup -q 2>/dev/null)") && sleep 1.1; done
log=$lab/agent/state/verified.json
folder=$lab/store/$server/sets
job() { # KIND: makes a job, waits, leaves its end in out.json; the exit status is that of its wait
    local id
    id=$(as alice job create --server "$server" --kind "$1" --json | jq -r .job)
    as alice job wait "$id" --timeout 60 -q >"$lab/out.txt" 2>"$lab/err.txt" && got=0 || got=$?
    as alice job list --server "$server" --json | jq --arg job "$id" '.jobs[] | select(.id == $job)' >"$lab/out.json"
    return $got
}

say "on the host: all is good, and remembered; without rules nothing is pruned"
agent agent verify | tee "$lab/out"
[ "$(grep -c ' good' "$lab/out")" = 3 ] && jq -e '.sets | length == 3' "$log" >/dev/null || fail "not all three are good"
[ "$(stat -c %a "$log")" = 600 ] || fail "others can read $log"
expect_failure 3 'no rule' agent agent prune

say "no further set is begun when the time is over, and the next run goes on with the oldest"
config 'verify-for = "1s"' 'verify-read-limit = "100KiB/s"'
agent agent verify --json >"$lab/v.json" 2>/dev/null
jq -e '(.sets | length) < 3 and .left > 0 and .left + (.sets | length) == 3' "$lab/v.json" >/dev/null || fail "$(cat "$lab/v.json")"
first=$(jq -r '.sets[-1].set' "$lab/v.json")
agent agent verify --json 2>/dev/null | jq -e --arg set "$first" '.sets[0].set > $set' >/dev/null || fail "it begins with the same again"

say "by job: verify is allowed, one an hour; prune only where the host says so"
config
lab_run_agent agent
job verify || fail "verify: $(cat "$lab/out.json" "$lab/err.txt")"
grep -q AGENT_VERIFIED "$lab/agent.log" || fail "it did not verify"
! job verify || fail "a second verification within the hour"
grep -q 'one every' "$lab/out.json" || fail "$(cat "$lab/out.json")"
! job prune || fail "prune without leave"
grep -q 'does not allow' "$lab/out.json" || fail "$(cat "$lab/out.json")"
lab_stop "$pid_agent"

say "a damaged set fails the job, names the object and raises an alert; a whole one ends it"
config 'min-verify-interval = "0s"' 'allow-kinds = ["backup", "escrow", "verify", "prune"]' 'keep-last = 2' 'prune-grace = "0s"'
lab_run_agent agent
cp "$folder/${sets[1]}/data/000002.gpg" "$lab/good"
printf X | dd of="$folder/${sets[1]}/data/000002.gpg" bs=1 seek=500 conv=notrunc status=none
! job verify || fail "damage is no failure"
grep -q "1 of 3 set.*${sets[1]}.*000002.gpg" "$lab/out.json" || fail "$(cat "$lab/out.json")"
alert() { curl -fsS "$admin/metrics" | grep -qx "strongroom_dispatcher_alerts{rule=\"job_failed\"} $1"; }
wait_until 20 alert 2 || fail "no alert: $(curl -fsS "$admin/metrics" | grep alerts)" # verify and prune
expect_failure $corrupt '1 of 3' agent agent verify
cp "$lab/good" "$folder/${sets[1]}/data/000002.gpg"
job verify || fail "verify: $(cat "$lab/out.json")"

say "an escrow record in the store that is not the one at the dispatcher fails the job, and raises the alert"
record=$(ls "$lab/store/$server/escrow"/*.gpg)
cp "$record" "$lab/record"
gpg --homedir "$lab/agent/state/recovery" --batch -q --yes --trust-model always -r "$(gpg --homedir "$lab/agent/state/recovery" -k --with-colons | awk -F: '/^fpr/ {print $10; exit}')" \
    --output "$record" -e "$lab/data"
! job verify || fail "a changed escrow record is no failure"
grep -q "escrow record .*$(basename "$record") is not the one that was deposited" "$lab/out.json" || fail "$(cat "$lab/out.json")"
wait_until 20 alert 2 || fail "no alert: $(curl -fsS "$admin/metrics" | grep alerts)"
rm "$record"
expect_failure $corrupt 'is gone' agent agent verify
agent agent escrow >/dev/null 2>&1 || fail "it cannot be deposited anew"
job verify || fail "verify: $(cat "$lab/out.json")"

say "prune: what is not verified stays; then by a job, at once"
new=$(agent agent backup -q 2>/dev/null)
agent agent prune >"$lab/plan" 2>/dev/null
grep -qE "$new .* yes +not verified" "$lab/plan" && grep -qE "${sets[0]} .* no +retention +remove" "$lab/plan" || fail "$(cat "$lab/plan")"
[ -d "$folder/${sets[0]}" ] || fail "a plan removes"
job verify || fail "verify: $(cat "$lab/out.json")"
job prune || fail "prune: $(cat "$lab/out.json")"
[ "$(ls "$folder")" = "$(printf '%s\n' "${sets[2]}" "$new")" ] || fail "left: $(ls "$folder")"
jq -e '.sets | length == 2' "$log" >/dev/null || fail "the log remembers what is gone"
listed() { [ "$(as alice backup list --server "$server" --json | jq -c '[.backups[].set] | sort')" = "$(printf '%s\n' "${sets[2]}" "$new" | jq -Rsc 'split("\n")[:-1] | sort')" ]; }
wait_until 90 listed || fail "the dispatcher lists what is gone: $(as alice backup list --server "$server")"
job verify || fail "verify after prune: $(cat "$lab/out.json")"
wait_until 20 alert 0 || fail "the alert stays: $(curl -fsS "$admin/metrics" | grep alerts)"

say "by schedule, and a dispatcher cannot say what stays"
as alice schedule set --server "$server" --kind verify --cron '* * * * *' --splay 0 >/dev/null
as alice schedule list --server "$server" --json | jq -e '.[] | select(.kind == "verify")' >/dev/null || fail "no schedule"
expect_failure $usage '.' as alice job create --server "$server" --kind restore
say "all well"
