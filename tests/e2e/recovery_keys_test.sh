#!/usr/bin/env bash
# Several recovery keys: added and removed on the host, with older subkeys in escrow, with a daemon that runs, with a dispatcher that
# is away, and under SIGKILL; who opens what afterwards, from the store alone and from the dispatcher. SEED=N ROUNDS=N.
source "$(dirname "$0")/lab.sh"
: "${SEED:=$(($(date +%s) % 32768))}" "${ROUNDS:=3}"
say "SEED=$SEED ROUNDS=$ROUNDS"
RANDOM=$SEED

lab_site bob
printf 'plain' >"$lab/plain"
lab_file_agent_config agent "$lab/plain" 'min-interval = 0' 'min-rotation-interval = "0s"'
lab_register_agent agent alice
as alice server list -q >/dev/null
root=$lab/store/$server
recovery_key() { agent agent recovery-key "$@"; }
pinned() { recovery_key list --json | jq -r '.keys[].fingerprint' | sort | xargs; }
due() { recovery_key list --json | jq '.due | length'; }
none_due() { [ "$(due)" -eq 0 ]; }
both=$(printf '%s\n' "$fpr_alice" "$fpr_bob" | sort | xargs)
opens_with() { { gpg --homedir "$lab/$1" --batch --status-fd 1 --output /dev/null --yes -d "$2" 2>/dev/null || true; } | grep -c DECRYPTION_OKAY >/dev/null; } # USER FILE
# Both subkeys and the newest set for this user, from the store alone.
restores_for() { # USER [NOT]
    local user=$1 from=(--store "file://$lab/store" --identity "$identity")
    if [ -n "${2:-}" ]; then
        expect_failure 11 'no escrow record' as "$user" recover --server "$server" "${from[@]}" --into "$lab/home"
        return
    fi
    as "$user" recover --server "$server" "${from[@]}" --into "$lab/home" --json -q >"$lab/recovered.json"
    jq -e '.problems == [] and (.subkeys | length == 2)' "$lab/recovered.json" >/dev/null || fail "$user: $(cat "$lab/recovered.json")"
    as "$user" restore --server "$server" --store "file://$lab/store" --home "$lab/home" --stdout -q >"$lab/stream"
    [ "$(cat "$lab/stream")" = plain ] || fail "$user: the newest set does not restore"
    gpgconf --homedir "$lab/home" --kill all
    rm -rf "$lab/home"
}
stock_gpg_for() { # USER : gpg -d FILE | gpg --import
    local user=$1 record
    rm -rf "$lab/stock" && mkdir -m 700 "$lab/stock"
    for record in "$root"/escrow/*.gpg; do
        { gpg --homedir "$lab/$user" --batch --quiet -d "$record" 2>/dev/null || true; } | gpg --homedir "$lab/stock" --batch --quiet --import 2>/dev/null ||
            fail "$user: gpg -d $record | gpg --import"
    done
    [ "$(gpg --homedir "$lab/stock" --with-colons --list-secret-keys 2>/dev/null | awk -F: '$1 == "ssb" && $15 == "+"' | wc -l)" -eq 2 ] || fail "$user: not both subkeys by gpg alone"
    gpgconf --homedir "$lab/stock" --kill all
}

say "a server with two subkeys in escrow"
agent agent escrow >/dev/null
agent agent backup -q >/dev/null 2>&1
agent agent rotate >/dev/null 2>&1
[ "$(pinned)" = "$fpr_alice" ] && none_due || fail "not as registered: $(recovery_key list)"
[ "$(ls "$root/escrow" | wc -l)" -eq 2 ] || fail "two records: $(ls "$root/escrow")"

say "what is no recovery key is refused, and changes nothing"
before=$(sha256sum "$lab/agent/state/"{agent.json,escrow.json} "$root"/escrow/*)
expect_failure 11 'fingerprint' recovery_key add "$lab/bob.asc" --fingerprint "$fpr_alice"
gpg --homedir "$lab/bob" --batch --armor --pinentry-mode loopback --passphrase 'correct horse bob' --export-secret-keys "$fpr_bob" >"$lab/secret.asc"
expect_failure 11 'secret' recovery_key add "$lab/secret.asc"
cat "$lab/alice.asc" "$lab/bob.asc" >"$lab/two.asc"
expect_failure 11 '.' recovery_key add "$lab/two.asc"
gpg --homedir "$lab/bob" --batch --quiet --passphrase '' --quick-generate-key 'signs only <s@test.invalid>' ed25519 sign never 2>/dev/null
gpg --homedir "$lab/bob" --batch --armor --export 's@test.invalid' >"$lab/signs.asc"
expect_failure 11 'encrypt' recovery_key add "$lab/signs.asc"
expect_failure 5 'not pinned' recovery_key remove "$fpr_bob"
expect_failure 7 'the last recovery key cannot be removed' recovery_key remove "$fpr_alice"
[ "$(sha256sum "$lab/agent/state/"{agent.json,escrow.json} "$root"/escrow/*)" = "$before" ] && [ ! -e "$lab/agent/state/recovery.json" ] || fail "a refusal changed something"

say "one is added: both open everything, the records before it are kept and marked"
recovery_key add "$lab/bob.asc" --fingerprint "$fpr_bob" >"$lab/added.txt" 2>/dev/null
grep -q 'New escrow records for exactly these keys: 2, in the store and at the dispatcher' "$lab/added.txt" || fail "$(cat "$lab/added.txt")"
[ "$(pinned)" = "$both" ] && none_due || fail "pinned: $(recovery_key list)"
restores_for alice
restores_for bob
stock_gpg_for alice
stock_gpg_for bob
[ "$(ls "$root/escrow/replaced" | wc -l)" -eq 2 ] || fail "replaced: $(ls "$root/escrow/replaced")"
for record in "$root"/escrow/replaced/*.0.gpg; do
    opens_with alice "$record" && ! opens_with bob "$record" || fail "$record is not the record from before"
done
as alice server show "$server" --json | jq -e --arg both "$both" '.info.recovery | sort | join(" ") == $both' >/dev/null || fail "the dispatcher shows other recovery keys"
as alice audit list --json | jq -e --arg bob "$fpr_bob" '[.entries[] | select(.action == "recovery.change" and (.text | contains($bob)))] | length == 1' >/dev/null || fail "not audited"
as alice recover --server "$server" --into "$lab/home" -q >/dev/null || fail "not from the dispatcher"
gpgconf --homedir "$lab/home" --kill all
rm -rf "$lab/home"
mkdir -m 700 "$lab/reader"
gpg --homedir "$lab/reader" --batch --quiet --import "$root/agent.asc" 2>/dev/null
gpg --homedir "$lab/reader" --batch --quiet --trust-model always --verify "$root/escrow/index.json.sig" "$root/escrow/index.json" 2>/dev/null || fail "the index is not signed"
keys() { as alice keys --server "$server" --store "file://$lab/store" "$@"; }
keys --json | jq -e --arg bob "$fpr_bob" '.escrow.records | (length == 4) and (map(select(.replaced == null and (.recipients | index($bob)))) | length == 2) and
    (map(select(.replaced != null and .kept and (.recipients | index($bob) | not))) | length == 2)' >/dev/null || fail "keys: $(keys --json)"
as alice prove --server "$server" >/dev/null || fail "the new record does not prove"

say "one is removed: it opens no new record, still opens the old ones, and the command says so"
recovery_key remove "$fpr_alice" >"$lab/removed.txt" 2>/dev/null
grep -q 'STILL OPENS' "$lab/removed.txt" && grep -q 'the records that were made for it: 4' "$lab/removed.txt" && grep -q 'strongroom-agent rotate' "$lab/removed.txt" || fail "$(cat "$lab/removed.txt")"
[ "$(pinned)" = "$fpr_bob" ] && none_due || fail "pinned: $(recovery_key list)"
restores_for bob
restores_for alice NOT
[ "$(ls "$root/escrow/replaced" | wc -l)" -eq 4 ] || fail "replaced: $(ls "$root/escrow/replaced")"
for record in "$root"/escrow/replaced/*; do opens_with alice "$record" || fail "$record was changed"; done
keys | grep -q "$fpr_alice (REMOVED)" || fail "keys does not name who still opens what: $(keys)"
expect_failure 7 'the last recovery key cannot be removed' recovery_key remove "$fpr_bob"

say "a daemon that runs takes it, also what was left to do when the dispatcher was away"
lab_run_agent agent
lab_stop "$pid_dispatcher"
expect_failure 15 'the recovery keys are changed \(change 3\), but not every escrow record' recovery_key add "$lab/alice.asc"
[ "$(pinned)" = "$both" ] && [ "$(due)" -eq 2 ] || fail "pinned: $(recovery_key list)"
agent agent status | grep -q 'WARNING: 2 decryption key(s) have no escrow record for the recovery keys pinned now' || fail "status does not warn"
lab_dispatcher
wait_until 90 none_due || fail "the daemon did not deposit: $(tail -5 "$lab/agent.log")"
as alice server show "$server" --json | jq -e --arg both "$both" '.info.recovery | sort | join(" ") == $both' >/dev/null || fail "the dispatcher shows other recovery keys"
restores_for alice
restores_for bob
lab_stop "$pid_agent"

say "changed from the user's machine: the host allows it or not, one of its recovery keys signs, a daemon applies it"
config() { lab_file_agent_config agent "$lab/plain" 'min-interval = 0' 'min-rotation-interval = "0s"' "$@"; }
user_key() { as "$1" recovery-key "${@:2}"; }
answered() { as alice recovery-key list --server "$server" --json | jq -r '.statements[0] | .state + ": " + .text'; }
lab_run_agent agent
expect_failure 7 'this host takes no statements' user_key alice remove --server "$server" "$fpr_bob"
[ "$(pinned)" = "$both" ] || fail "a forbidden statement changed something"
lab_stop "$pid_agent"
config 'allow-recovery-key-statements = true'
lab_run_agent agent
user_key alice remove --server "$server" "$fpr_bob" 2>"$lab/err.txt" | grep -q applied || fail "$(cat "$lab/err.txt")"
grep -q 'still opens the records that were made for it' "$lab/err.txt" || fail "it does not say what stays open"
[ "$(pinned)" = "$fpr_alice" ] || fail "pinned: $(recovery_key list)"
wait_until 20 none_due || fail "no records for the new set"
restores_for alice
restores_for bob NOT
expect_failure 7 'is not pinned as a recovery key' user_key alice add --server "$server" --signer "$fpr_bob" "$lab/bob.asc"
expect_failure 7 'last recovery key' user_key alice remove --server "$server" "$fpr_alice"
user_key alice add --server "$server" "$lab/bob.asc" --fingerprint "$fpr_bob" --json 2>/dev/null | jq -e '.state == "applied"' >/dev/null || fail "not added: $(answered)"
[ "$(pinned)" = "$both" ] || fail "pinned: $(recovery_key list)"
wait_until 20 none_due || fail "no records for the new set"
restores_for bob
recovery_key list --json | jq -e --arg alice "$fpr_alice" '.changes[-1] | .by == $alice and .statement != null' >/dev/null || fail "the host does not know who signed it"
grep -q AGENT_STATEMENT_REFUSED "$lab/agent.log" && grep -q AGENT_STATEMENT_APPLIED "$lab/agent.log" || fail "not logged"
as alice audit list --json | jq -e '[.entries[].action] | index("statement.send") and index("statement.answer")' >/dev/null || fail "not audited"
lab_stop "$pid_agent"

say "SIGKILL at random moments: what is pinned is one of both sets, somebody opens everything, and it can be ended"
for ((round = 1; round <= ROUNDS; round++)); do
    if [ "$(pinned)" = "$both" ]; then change=(remove "$fpr_alice"); else change=(add "$lab/alice.asc"); fi
    setsid "$STRONGROOM_BIN/strongroom-agent" --config "$lab/agent/agent.toml" recovery-key "${change[@]}" >/dev/null 2>&1 &
    pid=$!
    sleep "$(printf '0.%03d' $((RANDOM % 900)))"
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    now=$(pinned)
    [ "$now" = "$both" ] || [ "$now" = "$fpr_bob" ] || fail "round $round: pinned: $now"
    restores_for bob # pinned before and after
    agent agent escrow >/dev/null
    none_due || fail "round $round: $(recovery_key list)"
    [ "$now" = "$both" ] && restores_for alice || restores_for alice NOT
done

say "the newer self of a key that is pinned: another encryption subkey"
[ "$(pinned)" = "$both" ] || recovery_key add "$lab/alice.asc" >/dev/null 2>&1
gpg --homedir "$lab/bob" --batch --quiet --pinentry-mode loopback --passphrase 'correct horse bob' --quick-add-key "$fpr_bob" cv25519 encr never 2>/dev/null
gpg --homedir "$lab/bob" --armor --export "$fpr_bob" >"$lab/bob.asc"
newest=$(gpg --homedir "$lab/bob" --with-colons --list-keys "$fpr_bob" | awk -F: '$1 == "sub" {id = $5} END {print id}')
recovery_key add "$lab/bob.asc" --json 2>/dev/null | jq -e --arg bob "$fpr_bob" '.renewed == [$bob] and (.records | length == 2)' >/dev/null || fail "not renewed"
for record in "$root"/escrow/*.gpg; do
    gpg --list-packets --list-only "$record" 2>/dev/null | grep -q "keyid $newest" || fail "$record is not for the newer subkey"
done
