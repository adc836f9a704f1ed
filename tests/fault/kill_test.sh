#!/usr/bin/env bash
# SIGKILL of the agent or the dispatcher at random moments of a backup: no acknowledged state is lost, no incomplete set is ever
# listed, and the next backup works. SEED=N repeats a run; ROUNDS=N changes the number of kills (20; 40 with tests/run.sh --long).
source "$(dirname "$0")/../e2e/lab.sh"

: "${SEED:=$(($(date +%s) % 32768))}" "${ROUNDS:=${STRONGROOM_LONG:-20}}"
say "SEED=$SEED ROUNDS=$ROUNDS"
RANDOM=$SEED

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(250)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, REPEAT(MD5(seq), 6) FROM seq_1_to_300000'
url=
lease=6 # seconds; a killed agent's job goes back to the queue after them
lab_user alice
lab_dispatcher
lab_register_user alice
lab_agent_config agent source
printf 'segment-size = 1048576\n' >>"$lab/agent/agent.toml" # many segments: many moments
lab_register_agent agent alice
lab_run_agent agent
jobs_json() { as alice job list --server "$server" --json; }
state_of() { jobs_json | jq -r --arg job "$1" '.jobs[] | select(.id == $job) | .state'; }

# Homes in /tmp as a killed process leaves one, and as a living one has one.
left_home=$(mktemp -d /tmp/srt.XXXXXX)
held_home=$(mktemp -d /tmp/srt.XXXXXX)
echo x | tee "$left_home/gpg.conf" >"$held_home/gpg.conf"
flock --no-fork "$held_home" sleep 1000 >/dev/null 2>&1 & # no child of its own that would outlive it
lab_pids+=($!)

# What was acknowledged must still be there later: jobs that were created, backups that were reported, the audit trail.
acknowledged_jobs=()
complete=0
for ((round = 1; round <= ROUNDS; round++)); do
    job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
    acknowledged_jobs+=("$job")
    wait_until 60 in_state "$job" leased running succeeded || fail "round $round: the job is not taken: $(state_of "$job")"
    sleep "$(printf '0.%03d' $((RANDOM % 900)))"
    victim=agent
    [ $((RANDOM % 2)) -eq 0 ] && victim=dispatcher
    pid=pid_$victim
    kill -9 "${!pid}"
    lab_stop "${!pid}" KILL
    # While it is dead: nothing incomplete lists, by the store alone.
    as alice backup list --server "$server" --store "file://$lab/store" --identity "$identity" --json >"$lab/sets.json"
    jq -e '[.sets[] | select(.trusted | not)] | length == 0' "$lab/sets.json" >/dev/null || fail "round $round: $(cat "$lab/sets.json")"
    if [ $victim = dispatcher ]; then lab_dispatcher; else lab_run_agent agent; fi
    wait_until 150 in_state "$job" succeeded failed expired || fail "round $round: job $job hangs in $(state_of "$job")"
    final=$(state_of "$job")
    say "round $round: killed the $victim, job ended $final"
    [ "$final" != succeeded ] || complete=$((complete + 1))
    jobs_json >"$lab/jobs.json"
    for known in "${acknowledged_jobs[@]}"; do
        jq -e --arg job "$known" '.jobs[] | select(.id == $job)' "$lab/jobs.json" >/dev/null || fail "round $round: acknowledged job $known is lost"
    done
    # Every backup that the dispatcher lists is committed in the store, under a good signature.
    as alice backup list --server "$server" --json >"$lab/listed.json"
    as alice backup list --server "$server" --store "file://$lab/store" --identity "$identity" --json >"$lab/sets.json"
    missing=$(jq -r --slurpfile store "$lab/sets.json" '[.backups[].set] - [$store[0].sets[] | select(.trusted) | .set] | .[]' "$lab/listed.json")
    [ -z "$missing" ] || fail "round $round: listed, but not in the store: $missing"
done
[ "$complete" -gt 0 ] || fail "no backup ever succeeded: the test proves nothing"
say "the next backup works, and restores"
job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
wait_until 60 in_state "$job" succeeded || fail "the last backup: $(jobs_json | jq -c '.jobs[0]')"
as alice recover --server "$server" --identity "$identity" --into "$lab/r"
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --stdout >"$lab/stream" -q
[ -s "$lab/stream" ] || fail "nothing was restored"
left=$(find "$lab/agent/state/tmp" -mindepth 1; find "$lab/store" "$lab/agent/state" -name '.*.tmp')
[ -z "$left" ] || fail "temporary files are left: $left"
[ ! -e "$left_home" ] || fail "the home of a killed process is left: $left_home"
[ -e "$held_home/gpg.conf" ] || fail "the home of a living process was removed"
rm -r "$held_home"
say "$complete of $ROUNDS killed jobs succeeded in the end; SEED=$SEED"
