#!/usr/bin/env bash
# A set is restored on its host and compared with its source: by command, by the user's job, after each backup. The outcome is
# remembered, listed, measured, and raises an alert if it is not good.
source "$(dirname "$0")/lab.sh"

refused=7 corrupt=12
alert_interval=2
lab_site
lab_mariadb source
sql source "CREATE DATABASE secret_shop; USE secret_shop; CREATE TABLE secret_shop.orders (id INT PRIMARY KEY, name VARCHAR(40));
  INSERT INTO secret_shop.orders SELECT seq, CONCAT('order ', seq) FROM seq_1_to_1000;"
lab_agent_config agent source
mkdir -m 711 "$lab/proof"
cat >>"$lab/agent/agent.toml" <<C
proof-folder = "$lab/proof"
proof-figures = true
proof-assertions = ["SELECT COUNT(*) = 1000 FROM secret_shop.orders"]
min-verify-interval = "0s"
C
cp "$lab/agent/agent.toml" "$lab/agent.toml"
config() { { cat "$lab/agent.toml" && printf '%s\n' "$@"; } >"$lab/agent/agent.toml"; }
lab_register_agent agent alice
job() { # makes a verify-full job, waits, leaves its end in out.json; the exit status is that of its wait
    local id
    id=$(as alice job create --server "$server" --kind verify-full --json | jq -r .job)
    as alice job wait "$id" --timeout 60 -q >"$lab/out.txt" 2>"$lab/err.txt" && got=0 || got=$?
    as alice job list --server "$server" --json | jq --arg job "$id" '.jobs[] | select(.id == $job)' >"$lab/out.json"
    return $got
}
proof_of() { as alice backup list --server "$server" --json | jq -c --arg set "$1" '.backups[] | select(.set == $set) | .proof.proven'; }
metric() { curl -fsS "$admin/metrics" | awk -v name="$1" 'index($1, name) == 1 {print $2}'; }
nothing_left() { [ -z "$(ls -A "$lab/proof")" ] && ! pgrep -f -- "--datadir=$lab/proof" >/dev/null; }

say "on the host: restored, started, checked, compared; nothing is left"
first=$(agent agent backup -q 2>/dev/null)
agent agent verify --full --json >"$lab/proof.json" 2>/dev/null
jq -e --arg set "$first" '.proven and .set == $set and .checked > 20 and .equal == 1 and .assertions == 1 and (.seconds | keys == ["check", "compare", "extract", "prepare", "start"])' \
    "$lab/proof.json" >/dev/null || fail "$(cat "$lab/proof.json")"
agent agent verify --full --set "$first" 2>/dev/null | grep -q "set $first was restored, started and compared: .* 1 assertions hold" || fail "it does not say so"
nothing_left || fail "left: $(ls -A "$lab/proof")"
agent agent check --json | jq -e '.checks[] | select(.what == "proof by restoring") | .result == "ok"' >/dev/null || fail "check does not try it"
expect_failure 2 'requires --full' agent agent verify --set latest

say "by job, only where the host allows it; then the list, the server and the metric say so"
lab_run_agent agent
! job || fail "a proof without leave"
grep -q 'does not allow' "$lab/out.json" || fail "$(cat "$lab/out.json")"
lab_stop "$pid_agent"
config 'allow-kinds = ["backup", "escrow", "verify-full"]'
lab_run_agent agent
job || fail "verify-full: $(cat "$lab/out.json" "$lab/err.txt")"
[ "$(proof_of "$first")" = true ] || fail "the list does not say that it is proven"
as alice server show "$server" | grep -q 'proven by restore: *20.*was restored, started and compared' || fail "$(as alice server show "$server")"
measured() { [ "$(metric strongroom_dispatcher_server_restore_proven_timestamp_seconds | cut -d. -f1)" != 0 ]; }
wait_until 10 measured || fail "the metric does not say so"

say "a row that is missing fails the next set: the job, the list, an alert; the dispatcher hears no name and no value"
sql source "DELETE FROM secret_shop.orders WHERE id = 7"
second=$(agent agent backup -q 2>/dev/null)
! job || fail "a set without the row is proven"
jq -e '.problem.kind == "corrupt" and (.problem.text | test("failed in the step .assert."))' "$lab/out.json" >/dev/null || fail "$(cat "$lab/out.json")"
grep -q "AGENT_SET_NOT_PROVEN.*$second.*assertion 1 says" "$lab/agent.log" || fail "the host's log does not say why"
[ "$(proof_of "$second")" = false ] && [ "$(proof_of "$first")" = true ] || fail "the list does not tell them apart"
as alice backup list --server "$server" | grep -q "$second.*FAILED" || fail "$(as alice backup list --server "$server")"
as alice server list | grep -q FAILED || fail "$(as alice server list)"
jq -e --arg set "$second" '.sets[] | select(.set == $set) | .proof_failed and (.proven | not)' "$lab/agent/state/verified.json" >/dev/null || fail "the host forgot it"
alert() { curl -fsS "$admin/metrics" | grep -qx "strongroom_dispatcher_alerts{rule=\"set_not_proven\"} $1"; }
wait_until 10 alert 1 || fail "no alert: $(curl -fsS "$admin/metrics" | grep alerts)"
grep -aq "$second" "$lab"/dispatcher/*.sqlite* || fail "this is not where the dispatcher keeps sets"
! grep -aq secret_shop "$lab"/dispatcher/*.sqlite* || fail "the dispatcher holds a schema's name"
expect_failure $corrupt 'assertion 1' agent agent verify --full
nothing_left || fail "left: $(ls -A "$lab/proof")"

say "after each backup of the daemon; a set that is proven ends the alert"
sql source "INSERT INTO secret_shop.orders VALUES (7, 'order 7')"
lab_stop "$pid_agent"
config 'allow-kinds = ["backup"]' 'prove-after-backup = true'
lab_run_agent agent
as alice job create --server "$server" --wait >/dev/null 2>&1 || fail "the backup"
third=$(as alice backup list --server "$server" --json | jq -r '.backups[0].set')
reported() { [ "$(proof_of "$third")" = true ]; }
wait_until 90 reported || fail "it was not proven, or not reported: $(as alice backup list --server "$server")"
wait_until 10 alert 0 || fail "the alert stays"

say "an agent that is killed in the middle leaves no server"
agent agent verify --full >/dev/null 2>&1 &
killed=$!
running() { pgrep -f -- "--datadir=$lab/proof" >/dev/null; }
wait_until 20 running || fail "no private server was seen"
kill -9 $(pgrep -P "$killed" -f 'verify --full' || echo "$killed")
wait "$killed" 2>/dev/null || true
gone() { ! running; }
wait_until 10 gone || fail "a server is left"
agent agent verify --full >/dev/null 2>&1 || fail "it does not go on"
nothing_left || fail "left: $(ls -A "$lab/proof")"

say "what is no backup of a database is refused, and that is no success"
lab_stop "$pid_agent"
sed -e 's/^source = .*/source = "command"/' "$lab/agent.toml" >"$lab/agent/agent.toml"
echo 'source-command = ["/bin/echo", "no database"]' >>"$lab/agent/agent.toml"
agent agent backup -q >/dev/null 2>&1
expect_failure $refused 'cannot be proven by restoring' agent agent verify --full
say "all well"
