#!/usr/bin/env bash
# Proof of recovery with the real programs: what a user proves, what lists and metrics show, and what must not count as a proof.
source "$(dirname "$0")/lab.sh"

alert_interval=2
lab_site mallory
printf 'proof' >"$lab/plain"
lab_file_agent_config agent "$lab/plain" 'min-interval = 0'
lab_register_agent agent alice
show() { as alice server show "$server" --json | jq -e ".info | $1"; }
as alice server list >/dev/null

say "nothing in escrow: nothing to prove"
expect_failure 5 'no escrow record|holds no escrow' as alice prove --server "$server"
agent agent escrow >/dev/null
agent agent backup -q >/dev/null 2>&1
show '.escrowed and (.recoverable | not) and (.proven == null)' >/dev/null || fail "escrowed, and not proven"
as alice server list | grep -q 'not proven' || fail "the list does not say that it is not proven"

say "proven with the dispatcher's record, and with the store's"
as alice prove --server "$server"
show ".recoverable and .proven_by == \"$fpr_alice\"" >/dev/null || fail "not recoverable after the proof"
as alice server list | grep -q ' ok ' || fail "the list does not say ok: $(as alice server list)"
as alice prove --server "$server" --store "file://$lab/store" --json | jq -e '.records | length == 1' >/dev/null
find /dev/shm /tmp -maxdepth 1 -name '.sr*' -user "$(id -u)" -newer "$lab/plain" 2>/dev/null | grep -q . && fail "an opened key was left"
as alice audit list --json | jq -e '[.entries[] | select(.action == "escrow.prove")] | length == 2' >/dev/null || fail "not in the audit trail"

say "a record that was changed in the store, or is another server's"
record=$(ls "$lab/store/$server/escrow/"*.gpg)
cp "$record" "$lab/record"
gpg --homedir "$lab/alice" --batch --quiet --trust-model always -r "$fpr_alice" -e <"$lab/plain" >"$record" 2>/dev/null
expect_failure 11 'signed|escrow record' as alice prove --server "$server" --store "file://$lab/store"
agent agent escrow --local >/dev/null # a sound record, but another one than the dispatcher's
expect_failure 12 'not the one that the dispatcher holds' as alice prove --server "$server" --store "file://$lab/store"
show .recoverable >/dev/null || fail "the earlier proof is gone"

say "a rotation takes the proof away, and it is proven anew"
agent agent rotate >/dev/null 2>&1
show '(.recoverable | not) and .escrowed' >/dev/null || fail "recoverable without a proof of the new key"
as alice prove --server "$server" --json | jq -e '.records | length >= 1' >/dev/null
show .recoverable >/dev/null || fail "not recoverable after the proof of the new key"

say "what the host deposits after the client read the records and before the challenge is read, too"
cat >"$lab/pinentry" <<P
#!/usr/bin/env bash
echo OK
while read -r line; do
    case "\$line" in
    SETDESC*ECDH*) [ ! -e "$lab/meanwhile" ] || { mv "$lab/meanwhile" "$lab/done" && bash "$lab/done" >"$lab/meanwhile.log" 2>&1; } ;;
    GETPIN) echo 'D correct horse alice' ;;
    esac
    echo OK
done
P
chmod 700 "$lab/pinentry"
printf 'pinentry-program %s\ndefault-cache-ttl 0\nmax-cache-ttl 0\n' "$lab/pinentry" >>"$lab/alice/gpg-agent.conf"
gpgconf --homedir "$lab/alice" --kill all
# Proves while the host runs `strongroom-agent COMMAND`: when gpg first asks for the decryption key, which is to open the reply with the
# records.
proves_while() { # COMMAND PROVE-ARGUMENTS...
    local command=$1 subkey
    shift
    printf '"%s" --config "%s" %s\n' "$STRONGROOM_BIN/strongroom-agent" "$lab/agent/agent.toml" "$command" >"$lab/meanwhile"
    as alice prove --server "$server" --json "$@" >"$lab/proof.json" 2>"$lab/proof.txt" || fail "not proven while $command: $(cat "$lab/proof.txt")"
    [ ! -e "$lab/meanwhile" ] || fail "nobody was asked for the passphrase"
    grep -q 'reading them once more' "$lab/proof.txt" || fail "the record was not deposited in between: $(cat "$lab/proof.txt" "$lab/meanwhile.log")"
    subkey=$(as alice server show "$server" --json | jq -r .info.subkey)
    jq -e --arg subkey "$subkey" --arg sha256 "$(sha256sum "$lab/store/$server/escrow/$subkey.gpg" | cut -d' ' -f1)" '.records[0] == {subkey: $subkey, sha256: $sha256}' "$lab/proof.json" >/dev/null || fail "another record was proven: $(cat "$lab/proof.json")"
    show .recoverable >/dev/null || fail "not recoverable after the proof of the newest record"
}
proves_while escrow
proves_while rotate

say "another user proves nothing"
lab_register_user mallory
expect_failure 9 'no server' as mallory prove --server "$server" --identity "$identity"

say "another identity than the one that is known"
expect_failure 7 'is known by' as alice prove --server "$server" --identity "$fpr_mallory"

say "metrics and alerts"
metrics() { curl -fsS "$admin/metrics" >"$lab/metrics" && grep -qx "strongroom_dispatcher_servers_$1 1" "$lab/metrics"; }
wait_until 20 metrics recoverable || fail "metrics: $(grep servers_ "$lab/metrics")"
metrics escrowed || fail "metrics: $(grep servers_ "$lab/metrics")"
grep -qx "strongroom_dispatcher_server_escrowed{server=\"$server\"} 1" "$lab/metrics" || fail "no metric of the server's escrow"
proven=$(sed -nE "s/^strongroom_dispatcher_server_proven_timestamp_seconds\{server=\"$server\",by=\"$fpr_alice\"\} ([0-9]+).*/\1/p" "$lab/metrics")
[ "$(($(date +%s) - ${proven:-0}))" -lt 300 ] || fail "no metric of the server's proof: $(grep server_proven "$lab/metrics")"

say "a stolen agent is retired: refused from that moment, and still recoverable"
lab_run_agent agent
idle() { as alice job list --server "$server" --json | jq -e '[.jobs[] | select(.state | IN("queued", "leased", "running"))] == []'; }
wait_until 20 idle || fail "its jobs do not end: $(as alice job list --server "$server")" # an escrow job puts a new record there
told() { grep -c "AGENT_ESCROW_FETCHED .*$fpr_alice" "$lab/agent.log"; }
wait_until 20 told || fail "the host is not told who was given its escrow records"
as alice prove --server "$server" >/dev/null
told_again() { [ "$(told)" -ge 2 ]; }
wait_until 10 told_again || fail "the host is not told of another request at once"
as alice server show "$server" | grep -q "^escrow fetched: .* by .*, [0-9]* time(s)" || fail "$(as alice server show "$server")"
as alice server retire "$server"
expect_failure 8 'token|valid' agent agent escrow
as alice recover --server "$server" --into "$lab/r" -q >/dev/null
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --stdout -q >"$lab/stream"
[ "$(cat "$lab/stream")" = proof ] || fail "the retired server's set does not restore"
gone() { curl -fsS "$admin/metrics" >"$lab/metrics" && ! grep -q "server=\"$server\"" "$lab/metrics"; }
wait_until 20 gone || fail "metrics of a retired server: $(grep "$server" "$lab/metrics")"
as alice prove --server "$server" >/dev/null
