#!/usr/bin/env bash
# A host of its own proves what a database host stored: pinned on the source, believed by the dispatcher because the source said so,
# with credentials that only read. What nobody allowed is not tried, or does not count.
source "$(dirname "$0")/lab.sh"

usage=2 config=3 not_found=5 refused=7 crypto=11
alert_interval=2
lab_site bob
lab_register_user bob
lab_mariadb source
sql source "CREATE DATABASE secret_shop; USE secret_shop; CREATE TABLE secret_shop.orders (id INT PRIMARY KEY, name VARCHAR(40));
  INSERT INTO secret_shop.orders SELECT seq, CONCAT('order ', seq) FROM seq_1_to_1000;"
lab_agent_config shop source
lab_register_agent shop alice
shop=$server shop_identity=$identity

say "a host that only verifies: no database, no backups, and no alarm for want of them"
mkdir -m 711 "$lab/proof"
prover_config() { # NAME LINES...
    local name=$1
    shift
    mkdir -p -m 700 "$lab/$name"
    printf '%s\n' "store = \"file://$lab/$name-own\"" 'source = "none"' "state-dir = \"$lab/$name/state\"" \
        "proof-folder = \"$lab/proof\"" "verify-store = \"file://$lab/store\"" 'min-verify-interval = "0s"' \
        'allow-kinds = ["escrow", "verify", "verify-full"]' "$@" >"$lab/$name/agent.toml"
}
mkdir -m 700 "$lab/prover-own" "$lab/stranger-own"
prover_config prover
lab_register_agent prover alice
prover=$server prover_identity=$identity
expect_failure $refused 'makes no backups' agent prover backup
expect_failure $config 'looks after no sets' agent prover verify --full
agent prover check --json | jq -e '[.checks[] | select(.result == "fail")] == []' >/dev/null || fail "$(agent prover check)"

say "its key is pinned on the source, which prints what belongs into its configuration"
before=$(agent shop backup -q 2>/dev/null)
agent prover verifier key >"$lab/prover.asc" 2>"$lab/err.txt"
grep -q "verifier add FILE --fingerprint $prover_identity" "$lab/err.txt" || fail "$(cat "$lab/err.txt")"
expect_failure $crypto 'fingerprint' agent shop verifier add "$lab/prover.asc" --fingerprint "$shop_identity"
agent shop verifier list | grep -q 'no verifying host' || fail "it was pinned all the same"
agent shop verifier add "$lab/prover.asc" --fingerprint "$prover_identity" >"$lab/out.txt"
cat "$lab/out.txt"
line=$(grep 'verify-servers' "$lab/out.txt" | sed 's/^ *//')
[ "$line" = "verify-servers = [\"$shop $shop_identity\"]" ] || fail "$line"
prover_config prover "$line" "verify-assertions = [\"$shop SELECT COUNT(*) = 1000 FROM secret_shop.orders\"]"
agent shop status | grep -q 'verifying host' || fail "status does not tell it"
agent shop check --json | jq -e '.checks[] | select(.what == "verifying hosts") | .result == "ok"' >/dev/null || fail "check does not tell it"

say "a set from before has no envelope for it: not tried, neither proven nor failed; --existing gives it one"
expect_failure $config "envelope $shop/sets/$before/envelope-$prover_identity.gpg cannot be opened" agent prover verify --full
agent prover check --json >"$lab/check.json" || true
jq -e --arg what "server ${shop:0:8}" '.checks[] | select(.what == $what) | .result == "warn" and (.hint | test("--existing"))' "$lab/check.json" \
    >/dev/null || fail "$(cat "$lab/check.json")"
[ "$(agent prover verify --json | jq -r '.server + " " + .sets[0].result')" = "$shop good" ] || fail "digests need no key"
agent shop verifier add "$lab/prover.asc" --existing --json | jq -e '.envelopes.changed == 1 and .envelopes.problems == []' >/dev/null
agent prover verify --full --json >"$lab/proof.json" 2>/dev/null
jq -e --arg server "$shop" --arg set "$before" '.proven and .server == $server and .set == $set and .assertions == 1 and (.not_compared | test("stay"))' \
    "$lab/proof.json" >/dev/null || fail "$(cat "$lab/proof.json")"
[ -z "$(ls -A "$lab/proof")" ] || fail "left: $(ls -A "$lab/proof")"
agent prover check --json | jq -e '[.checks[] | select(.result == "fail" or .result == "warn") | .what] - ["dispatcher key", "escrow"] == []' >/dev/null ||
    fail "$(agent prover check)"

say "a proof of a set that the source could not report yet is kept, and counts once the source has"
sed -i "s|$url|http://127.0.0.1:9|" "$lab/shop/state/agent.json"
unheard=$(agent shop backup -q 2>/dev/null)
sed -i "s|http://127.0.0.1:9|$url|" "$lab/shop/state/agent.json"
agent prover verify --full -q >/dev/null 2>&1 || fail "the set cannot be proven"
lab_run_agent prover
left() { grep -q "AGENT_PROOF_NOT_TAKEN 1 proof.*$unheard of server $shop.*; 1 of them will be sent again" "$lab/prover.log"; }
wait_until 20 left || fail "the proof is taken before its set is known: $(cat "$lab/prover.log")"

say "an increment, by the user's job, through the daemons; it reads the source's objects and writes none of them"
sql source "UPDATE secret_shop.orders SET name = 'changed' WHERE id < 10"
increment=$(agent shop backup --incremental -q 2>/dev/null)
lab_run_agent shop
of_store() { find "$lab/store" -type f -printf '%p %s %T@\n' | sort; }
job() { # KIND : on the prover; leaves its end in out.json
    local id
    id=$(as alice job create --server "$prover" --kind "$1" --json | jq -r .job)
    as alice job wait "$id" --timeout 60 -q >/dev/null 2>&1 && got=0 || got=$?
    as alice job list --server "$prover" --json | jq --arg job "$id" '.jobs[] | select(.id == $job)' >"$lab/out.json"
    return $got
}
listed() { as alice backup list --server "$shop" --json | jq -c --arg set "$1" '.backups[] | select(.set == $set) | .proof | [.proven, .by]'; }
known() { as alice backup list --server "$shop" --json | jq -e --arg set "$1" '.backups[] | select(.set == $set)'; }
wait_until 20 known "$increment" || fail "the dispatcher does not know $increment"
named() { [ "$(as alice server show "$shop" --json | jq -c .info.verifiers)" = "[\"$prover_identity\"]" ]; }
wait_until 20 named || fail "the source's verifiers: $(as alice server show "$shop" --json)"
lab_stop "$pid_prover"
lab_run_agent prover # which sends it again when it starts, as it does after an hour
taken() { [ "$(listed "$unheard")" = "[true,\"$prover\"]" ]; }
wait_until 20 taken || fail "the proof was not sent again: $(listed "$unheard")"
of_store >"$lab/before.txt"
job verify-full || fail "$(cat "$lab/out.json")"
of_store | cmp - "$lab/before.txt" || fail "the store is not what it was"
proven() { [ "$(listed "$increment")" = "[true,\"$prover\"]" ]; }
wait_until 20 proven || fail "the list: $(listed "$increment")"
as alice server show "$shop" >"$lab/out.txt"
grep -q "^proven by restore: .* by server .* ($prover): .*was restored, started" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
grep -q "^may be proven by: .*, server .* ($prover)\$" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
as alice backup list --server "$shop" | grep -q "^$increment .* by .* ($prover)\$" || fail "$(as alice backup list --server "$shop")"
metric() { curl -fsS "$admin/metrics" | grep "strongroom_dispatcher_server_restore_proven_timestamp_seconds{server=\"$shop\"}" | grep -qv ' 0$'; }
wait_until 10 metric || fail "the metric does not say so"
job verify || fail "digests, by job: $(cat "$lab/out.json")"

say "a set that fails there alerts for the source; nobody hears a name of a table"
sql source "DELETE FROM secret_shop.orders WHERE id = 7"
second=$(agent shop backup -q 2>/dev/null)
wait_until 20 known "$second"
! job verify-full || fail "a set without the row is proven"
jq -e --arg set "$second" '.problem.kind == "corrupt" and (.problem.text | test($set) and test("failed in the step .assert."))' "$lab/out.json" >/dev/null ||
    fail "$(cat "$lab/out.json")"
failed() { [ "$(listed "$second")" = "[false,\"$prover\"]" ]; }
wait_until 20 failed || fail "the list: $(listed "$second")"
alert() { curl -fsS "$admin/metrics" | grep -qx "strongroom_dispatcher_alerts{rule=\"set_not_proven\"} $1"; }
wait_until 10 alert 1 || fail "no alert"
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" alerts >"$lab/out.txt"
grep -q "set_not_proven.*on server .* ($prover) at" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
grep -aq "$second" "$lab"/dispatcher/*.sqlite* || fail "this is not where the dispatcher keeps sets"
! grep -aq secret_shop "$lab"/dispatcher/*.sqlite* || fail "the dispatcher holds a schema's name"
sql source "INSERT INTO secret_shop.orders VALUES (7, 'order 7')"
third=$(agent shop backup -q 2>/dev/null)
wait_until 20 known "$third"
job verify-full || fail "$(cat "$lab/out.json")"
wait_until 20 alert 0 || fail "the alert does not end"

say "a host of another user, though the source's owner pinned it by mistake, and one that nobody pinned: their word does not count"
prover_config stranger "$line"
lab_register_agent stranger bob
agent stranger verifier key >"$lab/stranger.asc" 2>/dev/null
agent shop verifier add "$lab/stranger.asc" --existing -q >/dev/null
fourth=$(agent shop backup -q 2>/dev/null)
wait_until 20 known "$fourth"
agent stranger verify --full --server "$shop" -q >/dev/null 2>&1 || fail "it has an envelope"
lab_run_agent stranger
refused() { as bob audit list --json | grep -q proof.refused; }
wait_until 20 refused || fail "not in the audit log: $(as bob audit list)"
[ "$(listed "$fourth")" = '[null,null]' ] || fail "a stranger's proof counts: $(listed "$fourth")"
agent shop verifier remove "$prover_identity" >"$lab/out.txt"
cat "$lab/out.txt"
grep -q '[1-9][0-9]* envelopes were removed' "$lab/out.txt" || fail "its envelopes stay"
[ -z "$(find "$lab/store" -name "envelope-$prover_identity.gpg")" ] || fail "its envelopes stay"
! job verify-full || fail "it proves without an envelope"
jq -e '.problem.kind == "config"' "$lab/out.json" >/dev/null || fail "$(cat "$lab/out.json")"
[ "$(listed "$fourth")" = '[null,null]' ] || fail "$(listed "$fourth")"
expect_failure $usage 'does not look after server' agent prover verify --server "$prover"
expect_failure $not_found 'no verifying host' agent shop verifier remove "$prover_identity"
cp "$lab/store/$shop/sets/$fourth/envelope.gpg" "$lab/store/$shop/sets/$fourth/envelope-$prover_identity.gpg" # a backup that ran meanwhile
agent shop verifier remove "$prover_identity" --json | jq -e '.envelopes.changed == 1' >/dev/null || fail "what came late stays"
! curl -fsS "$admin/metrics" | grep 'alerts{rule="backup_missing"}' | grep -qv ' 0$' || fail "an alarm for want of backups"

say "the owner restores as ever: the second envelope is nobody else's business"
as alice recover --server "$shop" --into "$lab/recovered" -q >/dev/null
as alice restore --server "$shop" --store "file://$lab/store" --home "$lab/recovered" --datadir "$lab/data" -q
[ -d "$lab/data/secret_shop" ] || fail "nothing restored"
echo OK
