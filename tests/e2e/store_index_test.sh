#!/usr/bin/env bash
# The dispatcher's state is lost, and no backup of it is left: the owner reads the list of servers and sets from the store,
# the operator fills a new dispatcher with it, and what is not the owner's, or is there already, stays out.
source "$(dirname "$0")/lab.sh"

lab_site bob
lab_register_user bob
printf 'some rows\n%.0s' {1..20000} >"$lab/plain"
for name in alice bob; do
    lab_file_agent_config "host-$name" "$lab/plain"
    lab_register_agent "host-$name" $name
    agent "host-$name" escrow >"$lab/escrow.txt"
    agent "host-$name" backup -q >>"$lab/sets-$name"
    eval "server_$name=$server identity_$name=$identity"
done
agent host-alice backup -q >>"$lab/sets-alice"
server=$server_alice identity=$identity_alice
as alice server list >"$lab/list.txt" # remembers the server

say "the dispatcher is lost; a new one has the same key and the users, and knows no server"
lab_stop "$pid_dispatcher"
rm -r "$lab/dispatcher" "$lab/alice.token" "$lab/bob.token"
lab_dispatcher
lab_register_user alice
lab_register_user bob
[ "$(as alice server list --json | jq '.servers | length')" = 0 ] || fail "the new dispatcher knows a server"

say "the index: what the user knows, what the servers signed, and what neither holds for"
cp -r "$lab/store" "$lab/copy"
store=file://$lab/copy
damaged=$(head -n 1 "$lab/sets-alice") good=$(tail -n 1 "$lab/sets-alice")
sed -i 's/"plain_total": ./"plain_total": 0/' "$lab/copy/$server/sets/$damaged/manifest.json"
mkdir "$lab/copy/00000000-0000-4000-8000-000000000000"
cp "$lab/copy/$server/RECOVERY.txt" "$lab/copy/00000000-0000-4000-8000-000000000000"
cp -r "$lab/copy/$server" "$lab/copy/11111111-1111-4111-8111-111111111111"
as alice store index --store "$store" --json >"$lab/index.json"
say_of() { jq -r --arg server "$1" ".servers[] | select(.server == \$server) | $2" "$lab/index.json"; }
[ "$(say_of "$server" .trusted)" = true ] || fail "the own server is not trusted"
[ "$(say_of "$server" "[.sets[] | select(.verified) | .set] | join(\" \")")" = "$good" ] || fail "not one good set: $(cat "$lab/index.json")"
[ "$(say_of "$server" '.escrow | length')" = 1 ] || fail "no escrow record"
[ "$(say_of "$server_bob" .trusted)" = false ] || fail "an unknown server is trusted"
say_of 00000000-0000-4000-8000-000000000000 .problem | grep -q 'agent.asc is missing' || fail "$(cat "$lab/index.json")"
say_of 11111111-1111-4111-8111-111111111111 .problem | grep -q 'not of this server' || fail "$(cat "$lab/index.json")"
as alice store index --store "$store" >"$lab/index.txt"
grep -q "$server.*yes  *1 *1 of 2" "$lab/index.txt" || fail "$(cat "$lab/index.txt")"
grep -q "$damaged.*signature" "$lab/index.txt" || fail "$(cat "$lab/index.txt")"
new_machine() { HOME=$lab/new-machine "$STRONGROOM_BIN/strongroom" --gpg-home "$lab/alice" store index "$@"; }
expect_failure 7 'identity key that you know' new_machine --store "$store" --output "$lab/nothing"
[ ! -e "$lab/nothing" ] || fail "an empty index was written"
new_machine --store "$store" --identity "$identity" --output "$lab/alice.index" >"$lab/new-machine.txt" 2>&1
expect_failure 6 exists as alice store index --store "$store" --output "$lab/alice.index"

say "the import takes nothing that the owner did not sign, and no server whose escrow is for somebody else"
import() { "$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" import "$@"; }
as alice store index --store "$store" --identity "$identity_bob" --output "$lab/greedy.index" >"$lab/greedy.txt" 2>&1
cat "$lab/alice.index" "$lab/alice.index" >"$lab/twice.index"
expect_failure 8 'is no index that bob made' import "$lab/alice.index" --owner bob
expect_failure 8 'is no index that alice made' import "$lab/twice.index" --owner alice
expect_failure 5 'no user mallory' import "$lab/alice.index" --owner mallory
expect_failure 7 "server $server_bob: its escrow record is not for this user's key.*" import "$lab/greedy.index" --owner alice
cp "$lab/alice.index" "$lab/changed.index"
printf 'X' | dd of="$lab/changed.index" bs=1 seek=2000 conv=notrunc status=none
expect_failure 8 'is no index that alice made' import "$lab/changed.index" --owner alice
[ "$(as alice server list --json | jq '.servers | length')" = 0 ] || fail "a refused import left something"

say "the import, beside the dispatcher that serves; then everything works as before"
import "$lab/alice.index" --owner alice --json >"$lab/import.json"
[ "$(jq -c '[.servers[] | [.server, .imported, .escrow, .backups]]' "$lab/import.json")" = "[[\"$server\",true,1,1]]" ] || fail "$(cat "$lab/import.json")"
[ "$(as alice backup list --server "$server" --json | jq -r '.backups[].set')" = "$good" ] || fail "the backup is not listed"
as alice server show "$server" --json >"$lab/show.json"
[ "$(jq -r '[.info.identity, .info.recoverable, .info.recovery[0]] | @csv' "$lab/show.json")" = "\"$identity\",false,\"$fpr_alice\"" ] || fail "$(cat "$lab/show.json")"
as alice prove --server "$server" >"$lab/prove.txt"
[ "$(as alice server show "$server" --json | jq .info.recoverable)" = true ] || fail "not proven"
as alice recover --server "$server" --into "$lab/r" >"$lab/recover.txt"
as alice restore --server "$server" --set "$good" --store "$store" --home "$lab/r" --stdout | cmp - "$lab/plain"
[ "$(as bob server list --json | jq '.servers | length')" = 0 ] || fail "bob got something"
expect_failure 9 'no server' as bob server show "$server"
as alice audit list --json | jq -e '.entries[] | select(.action == "import" and .actor == "operator")' >/dev/null || fail "no audit entry"
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" audit verify >/dev/null

say "again: what exists is not touched"
import "$lab/alice.index" --owner alice >"$lab/again.txt"
grep -q "$server.*no: it is known here" "$lab/again.txt" || fail "$(cat "$lab/again.txt")"
[ "$(as alice server show "$server" --json | jq .info.recoverable)" = true ] || fail "a second import undid the proof"

say "a recovery key that is not the user's own, named by the operator; what is known in the same file is passed over"
import "$lab/greedy.index" --owner alice --recovery-key "$lab/bob.asc" --json >"$lab/import.json"
jq -e --arg old "$server" --arg new "$server_bob" '[.servers[] | {(.server): .imported}] | add == {($old): false, ($new): true}' \
    "$lab/import.json" >/dev/null || fail "$(cat "$lab/import.json")"
[ "$(as alice server show "$server_bob" --json | jq -r '.info.recovery[0]')" = "$fpr_bob" ] || fail "another recovery key is shown"
expect_failure 11 '.' as alice prove --server "$server_bob" --identity "$identity_bob" # a claim that alice cannot prove

say "the host that lives has no access; registered anew it is another server, and the old sets stay"
expect_failure 8 'token' agent host-alice escrow
lab_file_agent_config host-new "$lab/plain"
lab_register_agent host-new alice
agent host-new escrow >"$lab/escrow.txt"
agent host-new backup -q >"$lab/backup.txt"
[ "$(as alice server list --json | jq '.servers | length')" = 3 ] || fail "not three servers"
say "an empty dispatcher, filled from the store"
