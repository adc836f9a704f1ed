#!/usr/bin/env bash
# A server's identity key is changed: begun on the host, approved by its user, carried by a dispatcher that can do nothing of it
# alone. Old and new sets restore from the store alone, by the old fingerprint and by the new; what lacks a proof is refused.
source "$(dirname "$0")/lab.sh"

lab_site bob
printf 'plain' >"$lab/plain"
lab_file_agent_config agent "$lab/plain" 'min-interval = 0' 'min-rotation-interval = "0s"'
lab_register_agent agent alice
old=$identity
root=$lab/store/$server
agent agent escrow >/dev/null
set_old=$(agent agent backup -q 2>/dev/null)
as alice server list -q >/dev/null
cp -a "$lab/alice-home" "$lab/alice-at-old" # a client that knows the old key and was away
as alice recover --server "$server" --into "$lab/home-old" -q >/dev/null
cp -a "$lab/store" "$lab/store-before"
mkdir -m 700 "$lab/past" && cp -a "$lab/agent/state" "$lab/past/state"
sed "s|$lab/agent/state|$lab/past/state|" "$lab/agent/agent.toml" >"$lab/past/agent.toml"

identity_of_host() { agent agent identity show --json | jq -r .identity; }
# A client that knows nothing yet but what it is told.
fresh() { rm -rf "$lab/fresh-home"; elsewhere fresh-home "$@"; }
elsewhere() { # HOME ARGS...
    local home=$1
    shift
    HOME=$lab/$home "$STRONGROOM_BIN/strongroom" --dispatcher "$url" --user "$fpr_alice" --gpg-home "$lab/alice" \
        --token-file "$lab/alice.token" "$@"
}
restores() { # STORE HOME SET : the plain stream
    [ "$(fresh restore --server "$server" --store "file://$1" --home "$2" --set "$3" --stdout -q 2>"$lab/err.txt")" = plain ] || fail "set $3 does not restore: $(cat "$lab/err.txt")"
}
all_restore_from() { # FINGERPRINT : from the store alone
    fresh recover --server "$server" --store "file://$lab/store" --identity "$1" --into "$lab/home" --json -q >"$lab/recovered.json" 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
    for one in latest "$set_old" "$set_new"; do restores "$lab/store" "$lab/home" "$one"; done
    fresh backup list --server "$server" --store "file://$lab/store" --identity "$1" --json -q | jq -e '.sets | length == 2 and all(.trusted)' >/dev/null || fail "a set is not trusted"
    gpgconf --homedir "$lab/home" --kill all
    rm -rf "$lab/home"
}

say "begun on the host: nothing is switched, and the dispatcher and the store show what waits"
agent agent identity rotate >"$lab/begun.txt"
new=$(agent agent identity show --json | jq -r .change.next)
grep -q 'NOT in use' "$lab/begun.txt" && grep -q -- "--approve $new" "$lab/begun.txt" || fail "$(cat "$lab/begun.txt")"
[ "$(identity_of_host)" = "$old" ] && [ "$new" != "$old" ] || fail "switched without an approval"
as alice server show "$server" --json | jq -e --arg old "$old" --arg new "$new" '.info.identity == $old and .info.identity_pending == $new' >/dev/null || fail "the dispatcher does not show it"
as alice server identity --server "$server" --json | jq -e --arg new "$new" '.pending.next == $new' >/dev/null || fail "not shown to the user"
as alice server identity --server "$server" --store "file://$lab/store" --json | jq -e --arg new "$new" '.pending.next == $new' >/dev/null || fail "not shown from the store"

say "approvals that are none"
expect_failure 7 'not to' as alice server identity --server "$server" --approve "$old"
as bob server identity --server "$server" --store "file://$lab/store" --identity "$old" --approve "$new" --into "$lab/bob.approval" -q >/dev/null 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
before=$(sha256sum "$lab/agent/state/keys.json")
expect_failure 8 'no recovery key that is pinned' agent agent identity rotate --approval "$lab/bob.approval"
[ "$(sha256sum "$lab/agent/state/keys.json")" = "$before" ] || fail "a refused approval changed something"

say "approved by its user, read off the host's screen: a daemon that runs makes the change"
lab_run_agent agent
as alice server identity --server "$server" --approve "$new" >"$lab/approved.txt" 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
grep -q 'is approved by' "$lab/approved.txt" || fail "$(cat "$lab/approved.txt")"
done_changing() { agent agent identity show --json | jq -e --arg new "$new" '.identity == $new and .dispatcher_knows == $new and (has("change") | not)' && agent agent status --json | jq -e '.keys | has("rotation") | not'; }
wait_until 30 done_changing || fail "not changed: $(tail -5 "$lab/agent.log")"
lab_stop "$pid_agent"
sleep 1
set_new=$(agent agent backup -q 2>/dev/null)
as alice server list >"$lab/list.txt" 2>"$lab/err.txt"
grep -q 'has another identity key' "$lab/err.txt" || fail "the client does not say that it followed: $(cat "$lab/err.txt")"
as alice server show "$server" --json | jq -e --arg old "$old" --arg new "$new" '.info.identity == $new and .info.identity_before == $old' >/dev/null || fail "the dispatcher shows another key"
as alice audit list --json | jq -e '[.entries[].action] | index("identity.propose") and index("identity.change")' >/dev/null || fail "not audited"
as alice prove --server "$server" >/dev/null 2>"$lab/err.txt" || fail "not proven: $(cat "$lab/err.txt")"
gpg --homedir "$lab/bob" --batch --quiet --import "$root/agent.asc" 2>/dev/null
for set in "$set_old" "$set_new"; do # by gpg alone: both manifests are the new key's
    gpg --homedir "$lab/bob" --batch --status-fd 1 --verify "$root/sets/$set/manifest.json.sig" "$root/sets/$set/manifest.json" 2>/dev/null | grep -q "VALIDSIG .*$new" || fail "$set is not signed by the new key"
done

say "from the store alone: by the old fingerprint and by the new"
all_restore_from "$old"
all_restore_from "$new"
restores "$lab/store-before" "$lab/home-old" "$set_old" # a home that was made before, and an old copy of the store
fresh verify --server "$server" --store "file://$lab/store" --identity "$old" -q >/dev/null 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
agent agent verify -q >/dev/null 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
agent agent --keep-last 5 prune >/dev/null 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
agent agent rotate -q >/dev/null 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
all_restore_from "$old"

say "the old key, as a copy of the host's state has it, is heard no more"
expect_failure 9 'was changed: it counts no more' agent past escrow
agent agent escrow >/dev/null # the copy wrote its agent.asc before it was refused

say "a store that lacks a proof"
cp -a "$lab/store" "$lab/forged"
change=$lab/forged/$server/identity/0001
cp "$change-next.gpg" "$change-current.gpg"
expect_failure 7 'did not sign it' fresh recover --server "$server" --store "file://$lab/forged" --identity "$old" --into "$lab/home"
cp "$root/identity/0001-current.gpg" "$change-current.gpg"
cp "$lab/bob.approval" "$change-approval.gpg"
cp "$lab/bob.asc" "$change-approver.asc"
expect_failure 7 'none of the keys that may approve' fresh recover --server "$server" --store "file://$lab/forged" --identity "$old" --into "$lab/home"
rm "$change"-*
expect_failure 7 'not the identity key that you trust' fresh recover --server "$server" --store "file://$lab/forged" --identity "$old" --into "$lab/home"

say "a dispatcher that shows a chain without the old key's signature, or none"
elsewhere alice-at-old server list -q >/dev/null 2>"$lab/err.txt" || fail "a client that was away does not follow: $(cat "$lab/err.txt")"
rm -rf "$lab/alice-at-old" && mkdir -p "$lab/alice-at-old/.config/strongroom"
printf '{"version":1,"servers":[{"server":"%s","identity":"%s","first_seen":"2026-11-22T00:00:00Z"}]}' "$server" "$old" >"$lab/alice-at-old/.config/strongroom/known-servers.json"
lab_stop "$pid_dispatcher"
sqlite3 "$lab/dispatcher/dispatcher.sqlite" 'UPDATE identity_changes SET current_proof = next_proof'
lab_dispatcher
expect_failure 7 'did not sign it' elsewhere alice-at-old server list
lab_stop "$pid_dispatcher"
sqlite3 "$lab/dispatcher/dispatcher.sqlite" 'DELETE FROM identity_changes'
lab_dispatcher
expect_failure 7 'not the identity key that you trust' elsewhere alice-at-old server list
