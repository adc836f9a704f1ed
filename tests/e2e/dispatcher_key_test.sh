#!/usr/bin/env bash
# The dispatcher changes its key twice: an agent that runs and a user take each next key, who was away follows the chain, and a
# dispatcher whose new key nobody vouches for is refused.
source "$(dirname "$0")/lab.sh"

lab_site
printf 'plain' >"$lab/plain"
lab_file_agent_config near "$lab/plain" 'min-interval = 0'
lab_file_agent_config away "$lab/plain" 'min-interval = 0'
lab_register_agent away alice
away=$server
lab_register_agent near alice
as alice server list -q >/dev/null
cp -r "$lab/alice-home" "$lab/old-home" # a user who comes back much later
lab_run_agent near
key() { "$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" key "$@"; }
key_of() { key list --json | jq -r ".$1"; }
pins() { agent "$1" status | sed -n "s/^dispatcher key: *//p" | tr -d ' '; } # CURRENT, or CURRENT;nextNEXT
work() { # a job, so that the agent sends messages
    job=$(as alice job create -q --server "$server" --kind escrow --json | jq -r .job)
    as alice job wait -q "$job" --timeout 60 >/dev/null || fail "job $job: $(as alice job list)"
}
has_pinned() { [ "$(key_of "next_not_pinned[].server" | tr '\n' ' ' | sed 's/null //g')" = "$away " ]; }
secrets() { gpg --homedir "$lab/dispatcher/gnupg" --batch --with-colons --list-secret-keys 2>/dev/null | grep -c '^sec'; }
work

say "the next key: nobody has it, then who asks has it"
root=$(key_of current)
expect_failure 5 'no next key' key switch
key next >"$lab/next.txt"
second=$(key_of next)
grep -q 'own backup now' "$lab/next.txt" || fail "$(cat "$lab/next.txt")"
expect_failure 6 'next key already' key next
expect_failure 7 '2 of 2 servers have not pinned the next key' key switch
work
as alice server list 2>"$lab/alice.txt" >/dev/null
as alice server list 2>>"$lab/alice.txt" >/dev/null
work # it may have pinned the key with the last reply, and says so with its next message
wait_until 10 has_pinned || fail "$(key list)"
wait_until 10 grep -q AGENT_DISPATCHER_KEY_PINNED "$lab/near.log" || fail "the agent does not say that it pinned a key"
[ "$(pins near)" = "$root;next$second" ] || fail "$(agent near status)"
[ "$(pins away)" = "$root" ] || fail "$(agent away status)"
jq -e '.statements | length == 1' "$lab/alice-home/.config/strongroom/dispatcher-keys.json" >/dev/null || fail "the user pinned nothing"
[ "$(key_of 'next_not_pinned[] | select(.user) | .user')" = "" ] || fail "$(key list)"

say "the switch, while the agent runs"
expect_failure 7 "1 of 2 servers have not pinned the next key: $away" key switch
key switch --force >"$lab/switch.txt"
grep -q "will follow the chain when they come back: $away" "$lab/switch.txt" || fail "$(cat "$lab/switch.txt")"
wait_until 10 grep -q "DISPATCHER_OWN_KEYS current $second" "$lab/dispatcher.log" || fail "the dispatcher does not take its new key"
gpg --show-keys --with-colons "$lab/dispatcher/dispatcher.asc" 2>/dev/null | grep -q "fpr:::::::::$second" || fail "dispatcher.asc is of another key"
expect_failure 7 'have not written to the current key' key retire
work
work
[ "$(pins near)" = "$second" ] || fail "the old key is still accepted: $(agent near status)"
expect_failure 7 "1 of 2 servers have not written to the current key yet: $away" key retire
key retire --force >/dev/null
[ "$(secrets)" = 1 ] || fail "the old secret is still there"

say "the second change, with a key of the operator's own"
mkdir -m 700 "$lab/maker"
gpg --homedir "$lab/maker" --batch --quiet --passphrase '' --quick-generate-key 'New <dispatcher@x.invalid>' ed25519 sign,cert never 2>/dev/null
third=$(gpg --homedir "$lab/maker" --with-colons --list-keys 2>/dev/null | awk -F: '/^fpr/ {print $10; exit}')
gpg --homedir "$lab/maker" --armor --export-secret-keys "$third" >"$lab/unfit.asc"
expect_failure 11 'encryption' key next --import-key "$lab/unfit.asc" # no subkey yet
[ "$(secrets)" = 1 ] || fail "a key that was refused stayed"
gpg --homedir "$lab/maker" --batch --quiet --passphrase '' --quick-add-key "$third" cv25519 encr 1y 2>/dev/null
gpg --homedir "$lab/maker" --armor --export-secret-keys "$third" >"$lab/unfit.asc"
expect_failure 2 'expires' key next --import-key "$lab/unfit.asc"
gpg --homedir "$lab/maker" --batch --quiet --quick-set-expire "$third" 0 '*' 2>/dev/null
gpg --homedir "$lab/maker" --armor --export-secret-keys "$third" >"$lab/third.asc"
key next --import-key "$lab/third.asc" --json >/dev/null
work
work
wait_until 10 has_pinned || fail "$(key list)"
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" --backup-recipient "$lab/alice.asc" backup --to "$lab/own.gpg" >/dev/null
key switch --force --json >/dev/null
key retire --force >/dev/null
work # it writes to the key that it knows, which cannot be read any more, and then to the next one
[ "$(pins near)" = "$third" ] || fail "$(agent near status)"

say "who was away over both follows the chain; a new host and a new program, too"
agent away escrow >"$lab/away.txt" 2>&1 || fail "$(cat "$lab/away.txt")"
[ "$(pins away)" = "$third" ] || fail "$(agent away status)"
mv "$lab/alice-home" "$lab/alice-now"
mv "$lab/old-home" "$lab/alice-home"
as alice server list 2>"$lab/alice.txt" | grep -q "$away" || fail "$(cat "$lab/alice.txt")"
grep -q 'next key .* is pinned' "$lab/alice.txt" || fail "$(cat "$lab/alice.txt")"
lab_file_agent_config fresh "$lab/plain"
lab_register_agent fresh alice
[ "$(pins fresh)" = "$third" ] || fail "$(agent fresh status)"
key retire --json 2>"$lab/out.txt" && fail "nothing is left to retire"
[ "$(key_of 'chain | length')" = 2 ] || fail "$(key list)"
for step in key.next key.switch key.retire; do
    [ "$("$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" audit show | grep -c " $step ")" = 2 ] || fail "$step is not audited twice"
done

say "the dispatcher's own backup holds the keys and the chain"
"$STRONGROOM_BIN/strongroom-dispatcher" restore --from "$lab/own.gpg" --to "$lab/restored" --gpg-home "$lab/alice" >/dev/null
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/restored" key list --json >"$lab/restored.json"
jq -e ".current == \"$second\" and .next == \"$third\"" "$lab/restored.json" >/dev/null || fail "$(cat "$lab/restored.json")"

say "the restored one is behind: it is refused until it has switched again"
lab_stop "$pid_near"
lab_stop "$pid_dispatcher"
gpgconf --homedir "$lab/restored/gnupg" --kill all # it knows its home by its path
mv "$lab/dispatcher" "$lab/gone" && mv "$lab/restored" "$lab/dispatcher"
lab_dispatcher
expect_failure 8 'is not from the dispatcher: .*a former key' as alice server list
key switch --force >/dev/null
sleep 2
as alice server list >/dev/null

say "a dispatcher with another key, for which nobody vouches"
lab_stop "$pid_dispatcher"
mv "$lab/dispatcher" "$lab/good"
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" init >/dev/null
lab_dispatcher
rm "$lab/alice.token"
lab_register_user alice
state_of() { find "$lab/near/state" "$lab/alice-home" -type f ! -name '*.lock' ! -name random_seed ! -name escrow.json | sort | xargs sha256sum; }
before=$(state_of)
expect_failure 8 'has another key: no statement leads from the pinned key' as alice server list
expect_failure 8 'no statement leads from these' agent near escrow
[ "$(state_of)" = "$before" ] || fail "something was written: $(diff <(echo "$before") <(state_of))"
