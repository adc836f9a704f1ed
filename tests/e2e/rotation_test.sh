#!/usr/bin/env bash
# Rotation ordered by the user, by schedule and by hand, with the real programs: policy, escrow at both places, recover and restore
# before, during and after; then seeded SIGKILLs of agent and dispatcher in the middle of rotations. SEED=N ROUNDS=N.
source "$(dirname "$0")/lab.sh"
: "${SEED:=$(($(date +%s) % 32768))}" "${ROUNDS:=4}"
say "SEED=$SEED ROUNDS=$ROUNDS"
RANDOM=$SEED

lease=6
lab_site
config() { lab_file_agent_config agent "$lab/plain" 'min-interval = 0' "$@"; } # MORE-LINES...
config 'min-rotation-interval = "0s"'
lab_register_agent agent alice
sets=0
back_up() { # one more set, whose stream is its number
    sleep 1.1
    printf 'set %d\n' "$sets" >"$lab/plain"
    agent agent backup -q >/dev/null 2>&1
    sets=$((sets + 1))
}
# Recovered from the store alone, then from the dispatcher: every set restores to what it was.
require_all_restore() {
    local from i=0 set
    for from in "--store file://$lab/store --identity $identity" ''; do
        # shellcheck disable=SC2086
        as alice recover --server "$server" --into "$lab/home" $from -q >/dev/null
        i=0
        for set in $(ls "$lab/store/$server/sets"); do
            [ -e "$lab/store/$server/sets/$set/manifest.json.sig" ] || continue
            as alice restore --server "$server" --set "$set" --store "file://$lab/store" --home "$lab/home" --stdout -q >"$lab/stream" ||
                fail "set $set does not restore ($from)"
            [ "$(cat "$lab/stream")" = "set $i" ] || fail "set $set restores to other bytes ($from)"
            i=$((i + 1))
        done
        [ $i -eq "$sets" ] || fail "$i sets instead of $sets"
        gpgconf --homedir "$lab/home" --kill all
        rm -rf "$lab/home"
    done
}
subkey() { as alice server show "$server" --json | jq -r .info.subkey; }
in_use() { agent agent status --json | jq -r '.keys.subkeys[-1].fingerprint'; }
rotating() { agent agent status --json | jq -e .keys.rotation; }
key_ids() { for e in "$lab/store/$server/sets"/*/envelope.gpg; do gpg --list-packets --list-only "$e" 2>/dev/null | awk '/keyid/ {print $NF}'; done | sort -u; }

agent agent escrow >/dev/null
for _ in 1 2 3; do back_up; done
require_all_restore

say "by hand, and what it says"
first=$(subkey)
agent agent rotate --json >"$lab/rotate.json"
jq -e '.number == 2 and .sets == 3 and .rewrapped == 3 and (.resumed | not)' "$lab/rotate.json" >/dev/null || fail "$(cat "$lab/rotate.json")"
second=$(jq -r .subkey "$lab/rotate.json")
[ "$(subkey)" = "$second" ] && [ "$(in_use)" = "$second" ] && [ "$second" != "$first" ] || fail "the new subkey is not in use everywhere"
[ "$(key_ids)" = "${second:24}" ] || fail "envelopes for other keys: $(key_ids)"
as alice audit list --json | jq -e '[.entries[] | select(.action == "escrow.rotate")] | length == 1' >/dev/null || fail "not audited"
require_all_restore

as alice keys --server "$server" --identity "$identity" --store "file://$lab/store" --json >"$lab/keys.json"
jq -e --arg new "$second" --arg old "$first" '(.keys | length == 2) and (.damaged | length == 0) and
    (.keys[] | select(.subkey == $new) | .newest and .escrowed and (.sets | length == 3)) and
    (.keys[] | select(.subkey == $old) | (.newest | not) and .escrowed and (.sets | length == 0) and (.expires != null))' \
    "$lab/keys.json" >/dev/null || fail "keys: $(cat "$lab/keys.json")"
as alice keys --server "$server" --identity "$identity" --store "file://$lab/store" | grep -q "3 sets cannot be opened by anybody" || fail "keys does not say what is at stake"

say "ordered by the user, while the agent runs; its answers are for the new key"
lab_run_agent agent
as alice rotate --server "$server" --timeout 60
third=$(in_use)
[ "$third" != "$second" ] && [ "$(subkey)" = "$third" ] && [ "$(key_ids)" = "${third:24}" ] || fail "the ordered rotation did not happen"
as alice schedule set --server "$server" --kind rotate --cron '* * * * *'
scheduled() { as alice job list --server "$server" --json | jq -e '[.jobs[] | select(.kind == "rotate" and .schedule != null and .state == "succeeded")] | length > 0'; }
began() { [ "$(sqlite3 "$lab/dispatcher/dispatcher.sqlite" "SELECT COUNT(*) FROM jobs WHERE kind = 'rotate' AND schedule <> ''")" != 0 ]; }
wait_until 80 began && wait_until 20 scheduled || fail "no scheduled rotation: $(as alice job list --server "$server")"
as alice schedule set --server "$server" --kind rotate --every 90d
as alice schedule list --server "$server" --json | jq -e '.[] | select(.kind == "rotate") | .cron == "every 90d" and .next_due % (90 * 86400000) == 0' >/dev/null || fail "$(as alice schedule list --server "$server")"
expect_failure 2 'not an interval' as alice schedule set --server "$server" --kind rotate --every 90w
expect_failure 2 'exactly one' as alice schedule set --server "$server" --kind rotate --every 90d --cron '0 0 * * *'
as alice schedule set --server "$server" --kind rotate --remove
back_up
require_all_restore

say "the host's policy decides"
lab_stop "$pid_agent"
config # a rotation a day
lab_run_agent agent
expect_failure 7 'this host allows one every' as alice rotate --server "$server" --timeout 60
lab_stop "$pid_agent"
config 'allow-kinds = ["backup", "escrow"]'
lab_run_agent agent
expect_failure 7 'does not allow jobs of kind' as alice rotate --server "$server" --timeout 60
lab_stop "$pid_agent"
as alice audit list --json | jq -e '[.entries[] | select(.text | contains("does not allow jobs of kind"))] | length > 0' >/dev/null || fail "the refusal is not in the audit trail"

say "without the dispatcher nothing is switched, and later it goes on"
before=$(in_use)
lab_stop "$pid_dispatcher"
expect_failure 15 '.' agent agent rotate
[ "$(in_use)" = "$before" ] || fail "a subkey came into use that the dispatcher never acknowledged"
back_up
lab_dispatcher
agent agent rotate --json | jq -e .resumed >/dev/null || fail "it did not go on"
require_all_restore

say "after a theft: every set is written anew, the old ones go, and the stolen passphrases open nothing"
as alice verify --server "$server" --store "file://$lab/store" --identity "$identity" -q >/dev/null
mapfile -t stolen < <(for e in "$lab/store/$server/sets"/*/envelope.gpg; do gpg --homedir "$lab/agent/state/gnupg" -q -d "$e" 2>/dev/null; done)
[ ${#stolen[@]} -eq "$sets" ] || fail "${#stolen[@]} passphrases of $sets sets"
opens_with_stolen() { # SEGMENT
    local passphrase
    for passphrase in "${stolen[@]}"; do
        ! gpg --homedir "$lab/agent/state/gnupg" --batch --pinentry-mode loopback --passphrase-fd 3 -q -d "$1" 3<<<"$passphrase" >/dev/null 2>&1 || return 0
    done
    return 1
}
for segment in "$lab/store/$server/sets"/*/data/*.gpg; do opens_with_stolen "$segment" || fail "the test's passphrases are not those of the sets"; done
old=$(ls "$lab/store/$server/sets")
before=$(in_use)
agent agent rotate --reencrypt >"$lab/anew.txt" 2>"$lab/anew.err"
grep -q "$sets sets with a passphrase from before" "$lab/anew.txt" || fail "$(cat "$lab/anew.txt")"
grep -q 'can read those copies for ever' "$lab/anew.err" || fail "it does not say what stays: $(cat "$lab/anew.err")"
[ "$(in_use)" != "$before" ] || fail "no new subkey"
[ -z "$(comm -12 <(echo "$old") <(ls "$lab/store/$server/sets"))" ] || fail "old sets are still there"
for segment in "$lab/store/$server/sets"/*/data/*.gpg; do
    ! opens_with_stolen "$segment" || fail "$segment opens with a stolen passphrase"
done
require_all_restore
as alice backup list --server "$server" --json | jq -r '.backups[].set' | sort | diff - <(ls "$lab/store/$server/sets") || fail "the dispatcher lists other sets than there are"
as alice verify --server "$server" --store "file://$lab/store" --identity "$identity" -q >/dev/null || fail "who verified the old sets misses them"
agent agent rotate --reencrypt --json | jq -e --argjson sets "$sets" '.exposed == $sets and .reencrypted == $sets and .failed == []' >/dev/null || fail "a second theft"

say "SIGKILL at random moments"
config 'min-rotation-interval = "0s"'
for _ in 1 2 3 4 5 6; do back_up; done
lab_run_agent agent
job_state() { as alice job list --server "$server" --json | jq -r --arg job "$job" '.jobs[] | select(.id == $job) | .state'; }
ended() { in_state "$job" succeeded failed expired; }
finished=0
for ((round = 1; round <= ROUNDS; round++)); do
    job=$(as alice rotate --server "$server" --no-wait --json | jq -r .job)
    sleep "$(printf '%d.%03d' $((RANDOM % 2)) $((RANDOM % 1000)))"
    victim=agent
    [ $((RANDOM % 3)) -ne 0 ] || victim=dispatcher
    pid=pid_$victim
    lab_stop "${!pid}" KILL
    as alice recover --server "$server" --store "file://$lab/store" --identity "$identity" --into "$lab/home" -q >/dev/null
    for set in $(ls "$lab/store/$server/sets"); do
        as alice restore --server "$server" --set "$set" --store "file://$lab/store" --home "$lab/home" --stdout -q >/dev/null || fail "round $round: set $set does not restore"
    done
    gpgconf --homedir "$lab/home" --kill all
    rm -rf "$lab/home"
    if [ $victim = dispatcher ]; then lab_dispatcher; else lab_run_agent agent; fi
    wait_until 120 ended || fail "round $round: the job hangs in $(job_state)"
    say "round $round: killed the $victim, the job $(job_state); subkey $(agent agent status --json | jq '.keys.subkeys[-1].number')"
    [ "$(job_state)" != succeeded ] || finished=$((finished + 1))
done
[ $finished -gt 0 ] || fail "no rotation ever ended: the test proves nothing"
lab_stop "$pid_agent"
if rotating >/dev/null; then agent agent rotate >/dev/null; fi
require_all_restore
[ "$(key_ids)" = "$(in_use | cut -c25-)" ] || fail "envelopes for other keys than the one in use"
[ "$(subkey)" = "$(in_use)" ] || fail "the dispatcher knows another subkey"
say "$finished of $ROUNDS jobs with a kill ended well; SEED=$SEED"
