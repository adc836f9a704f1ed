#!/usr/bin/env bash
# A dispatcher that was broken into, with its real key, against the real agent and client: each lie must be refused and told, and
# must change nothing on the host. tests/e2e/hostile/dishonest_dispatcher.cpp says what it can do.
source "$(dirname "$0")/lab.sh"

lab_site mallory
printf 'plain' >"$lab/plain"
lab_file_agent_config agent "$lab/plain" 'min-interval = 3600' 'allow-recovery-key-statements = true'
lab_register_agent agent alice
as alice server list -q >/dev/null # the client remembers the identity
agent agent escrow >/dev/null
as alice schedule set --server "$server" --kind backup --cron '0 3 1 1 *' >/dev/null
lab_run_agent agent
knows_schedule() { agent agent status --json | jq -e '.schedules | length == 1'; }
wait_until 30 knows_schedule || fail "the agent does not know its schedule"
known=$(agent agent status --json | jq -c '[.schedules[].order]')
job=$(as alice job create --server "$server" --kind backup --json | jq -r .job)
as alice job wait "$job" --timeout 60 >/dev/null
lab_stop "$pid_agent"
lab_stop "$pid_dispatcher"

rm -f "$lab/port"
"$STRONGROOM_BIN/../tests/dishonest_dispatcher" "$lab/dispatcher" "$lab/port" "$lab/lie" >"$lab/dishonest.log" 2>&1 &
lab_pids+=($!)
wait_until 20 test -s "$lab/port" || fail "the dishonest dispatcher does not start"
honest_url=$url
url=http://$(sed -n 1p "$lab/port")
sed -i "s|$honest_url|$url|" "$lab/agent/state/agent.json"
lie() { printf '%s' "$*" >"$lab/lie.new" && mv "$lab/lie.new" "$lab/lie"; }
honest() { rm -f "$lab/lie"; }

# What a dispatcher may never change on a host.
fingerprint_of_host() {
    (
        cd "$lab"
        sha256sum agent/state/agent.json agent/state/token agent/agent.toml
        ls agent/state/recovery.json 2>/dev/null
        find agent/state/recovery agent/state/dispatcher agent/state/gnupg -name '*.kbx' -o -name '*.key' | sort | xargs sha256sum
        find store -type f | sort | xargs sha256sum
        ls "$lab" | grep -v -E 'log$|^(lie|lie.new|out.txt|err.txt)$'
    )
}

# The agent under a lie about job.next: it must say TEXT in its log and change nothing; it keeps its schedule.
agent_under() { # TEXT LIE...
    local text=$1 before
    shift
    before=$(fingerprint_of_host)
    lie "$@"
    : >"$lab/agent.log"
    lab_run_agent agent
    wait_until 20 grep -qE "$text" "$lab/agent.log" || fail "the agent does not say '$text' under: $* -- $(cat "$lab/agent.log")"
    lab_stop "$pid_agent"
    honest
    [ "$(fingerprint_of_host)" = "$before" ] || fail "the host was changed by: $* -- $(diff <(echo "$before") <(fingerprint_of_host))"
    knows_schedule >/dev/null || fail "the schedule is gone after: $*"
    say "agent: $* -> $(grep -oE "$text.*" "$lab/agent.log" | head -1 | cut -c1-140)"
}
order() { # KIND [MORE-FIELDS]
    printf '{"job":{"id":"%s","kind":"%s","attempt":1,"lease_ms":60000%s},"schedules":%s}' "$(cat /proc/sys/kernel/random/uuid)" "$1" "${2:-}" "$known"
}

say "orders that are not the dispatcher's, or not for this request"
agent_under 'not signed' job.next unsigned
agent_under 'another key' job.next stranger
agent_under 'chain of keys is refused: .*another key' job.next new-key
agent_under 'time|clock|hour' job.next stale
agent_under 'time|clock|hour' job.next future
agent_under 'another receiver|not for|receiver|recipient' job.next misdirected
agent_under 'another request|answers' job.next other-request
agent_under 'another request|answers' job.next other-digest
agent_under 'another request|answers' job.next repeated
agent_under 'another request|answers|refused|AWAY' job.next dropped

say "orders under the right signature that no host may follow"
kinds='a known job kind|longer than 16 bytes'
agent_under "$kinds" job.next body "$(order restore)"
agent_under "$kinds" job.next body "$(order 'backup; touch /tmp/x')"
agent_under "$kinds" job.next body "$(order '../../../etc')"
agent_under 'unknown|field' job.next body "$(order backup ',"store":"file:///tmp/stolen"')"
agent_under 'unknown|field' job.next body "$(order backup ',"command":["sh","-c","touch /tmp/x"]')"
agent_under 'unknown|field' job.next body "$(order escrow ",\"recipients\":[\"$fpr_mallory\"]")"
agent_under 'unknown|field' job.next body "$(order escrow ',"recovery_key":"-----BEGIN PGP PUBLIC KEY BLOCK-----"')"
agent_under 'one every' job.next body "$(order backup)"
agent_under 'ORDER_REFUSED.*not in group shop' job.next body "$(order backup ',"group":"shop"')"
now=$(date +%s)
STRONGROOM_AGENT_BACKUP_WINDOW=$(date -d "@$((now + 7200))" +%H:%M)-$(date -d "@$((now + 10800))" +%H:%M)
export STRONGROOM_AGENT_BACKUP_WINDOW
agent_under 'ORDER_REFUSED.*begin only within' job.next body "$(order backup)"
unset STRONGROOM_AGENT_BACKUP_WINDOW
mkdir -m 700 "$lab/twin" # a key with the user id of alice's
gpg --homedir "$lab/twin" --batch --quiet --passphrase '' --quick-generate-key 'alice <alice@test.invalid>' ed25519 default never 2>/dev/null
fpr_twin=$(gpg --homedir "$lab/twin" --batch --with-colons --list-keys | awk -F: '$1 == "fpr" {print $10; exit}')
gpgconf --homedir "$lab/twin" --kill all
agent_under 'unknown|field' job.next body "$(order escrow ",\"recipients\":[\"$fpr_twin\"]")"

say "recovery keys: it can carry a statement, not make one"
statement() { # SIGNER'S-HOME SIGNER SERVER SEQUENCE EXPIRES-IN-S : mallory is to be pinned beside alice
    local made=$(($(date +%s) * 1000))
    jq -cn --arg server "$3" --argjson sequence "$4" --arg alice "$fpr_alice" --arg mallory "$fpr_mallory" --rawfile key "$lab/mallory.asc" \
        --argjson made "$made" --argjson expires "$((made + $5 * 1000))" '{format: "strongroom-recovery-keys", version: 1, server: $server,
        sequence: $sequence, previous: [$alice], recovery: [$alice, $mallory], keys: [$key], made: $made, expires: $expires}' |
        gpg --homedir "$1" --batch --quiet -z 0 --local-user "$2" --sign
}
carries() { printf '{"schedules":%s,"statement":"%s"}' "$known" "$(base64 -w0)"; } # a statement on standard input
own_key=$(gpg --homedir "$lab/dispatcher/gnupg" --batch --with-colons --list-secret-keys 2>/dev/null | awk -F: '$1 == "fpr" {print $10; exit}')
agent_under 'no recovery key that is pinned' job.next body "$(statement "$lab/dispatcher/gnupg" "$own_key" "$server" 1 3600 | carries)"
agent_under 'no recovery key that is pinned' job.next body "$(statement "$lab/mallory" "$fpr_mallory" "$server" 1 3600 | carries)"
agent_under 'no recovery key that is pinned' job.next body "$(statement "$lab/twin" "$fpr_twin" "$server" 1 3600 | carries)"
agent_under 'no recovery key that is pinned' job.next body "$(statement "$lab/alice" "$fpr_alice" "$server" 1 3600 | sed 's/strongroom-recovery-keys/strongroom-recovery-keyz/' | carries)"
agent_under 'another server' job.next body "$(statement "$lab/alice" "$fpr_alice" "$(cat /proc/sys/kernel/random/uuid)" 1 3600 | carries)"
agent_under 'the next one here is 1' job.next body "$(statement "$lab/alice" "$fpr_alice" "$server" 2 3600 | carries)"
agent_under 'has expired' job.next body "$(statement "$lab/alice" "$fpr_alice" "$server" 1 -60 | carries)"

say "schedules that no host may keep"
schedules() { printf '{"schedules":[{"id":"%s","kind":"backup","cron":"%s","splay_s":0}]}' "$id" "$1"; }
id=$(cat /proc/sys/kernel/random/uuid)
agent_under 'not five cron fields' job.next body "$(schedules '* * * * * *')"
agent_under 'not five cron fields' job.next body "$(schedules '@every 1s')"
agent_under 'not five cron fields' job.next body "$(schedules '$(touch /tmp/x)')"
id=$(cat /proc/sys/kernel/random/uuid)
say "a dispatcher that drops everything: the agent keeps its schedule and backs up by hand"
lie 'agent.report dropped'
agent agent backup -q >/dev/null 2>&1 || fail "a backup by hand needs the dispatcher"
honest

say "the client: replies that are not the dispatcher's"
client_under() { # EXIT-CODES TEXT LIE -- COMMAND...
    local codes=$1 text=$2 what=$3 got=0
    shift 3
    lie "$what"
    as alice "$@" >"$lab/out.txt" 2>"$lab/err.txt" || got=$?
    honest
    case " $codes " in *" $got "*) ;; *) fail "exit code $got, expected $codes, under: $what -- $(cat "$lab/err.txt")" ;; esac
    grep -qE -- "$text" "$lab/err.txt" || fail "does not say '$text' under: $what -- $(cat "$lab/err.txt")"
    say "client: ${what:0:60} -> $(head -1 "$lab/err.txt" | cut -c1-140)"
}
client_under 8 'not signed' 'server.list unsigned' server list
client_under 8 'another key' 'server.list stranger' server list
client_under 8 'chain of keys is refused: .*another key' 'server.list new-key' server list
client_under '8 10' 'time|clock' 'server.list stale' server list
client_under '8 10' '.' 'server.list misdirected' server list
client_under 8 'another request' 'server.list other-request' server list
client_under 8 'another request' 'server.list other-digest' server list

say "the client: escrow records that are not this server's"
as alice server show "$server" --json >"$lab/show.json"
public=$(jq -c .public_key "$lab/show.json")
subkey=$(jq -r .info.subkey "$lab/show.json")
record() { base64 -w0 "$1"; }
digest() { sha256sum "$1" | cut -d' ' -f1; }
fetch() { # IDENTITY PUBLIC-KEY-JSON RECORD-FILE
    printf 'escrow.fetch body {"identity":"%s","public_key":%s,"records":[{"subkey":"%s","record":"%s","sha256":"%s","deposited":1,"recipients":["%s"]}]}' \
        "$1" "$2" "$subkey" "$(record "$3")" "$(digest "$3")" "$fpr_alice"
}
mallory_key=$(jq -Rs . <"$lab/mallory.asc")
# a record of mallory's own key, encrypted to alice: properly made, but of another identity
gpg --homedir "$lab/mallory" --batch --quiet --trust-model always --import "$lab/alice.asc" 2>/dev/null
gpg --homedir "$lab/mallory" --batch --quiet --trust-model always -s -e -r "$fpr_alice" -z0 "$lab/mallory.asc" >/dev/null 2>&1 && mv "$lab/mallory.asc.gpg" "$lab/foreign.gpg"
own=$(ls "$lab/store/$server/escrow/"*.gpg)
client_under 7 'known by|identity' "$(fetch "$fpr_mallory" "$mallory_key" "$lab/foreign.gpg")" recover --server "$server" --into "$lab/r"
client_under 7 'not the identity key' "$(fetch "$identity" "$mallory_key" "$lab/foreign.gpg")" recover --server "$server" --into "$lab/r"
client_under 11 'signed by another key|no escrow record' "$(fetch "$identity" "$public" "$lab/foreign.gpg")" recover --server "$server" --into "$lab/r"
[ ! -e "$lab/r" ] || fail "something was recovered from a lie"

say "the client: what comes as a challenge is a set's envelope, or another user's challenge"
envelope=$(ls "$lab/store/$server/sets/"*/envelope.gpg | head -1)
fetched=$(digest "$own")
as alice server show "$server" >/dev/null
challenge() { # FILE
    printf 'escrow.challenge body {"challenge":"%s","expires":%s,"items":[{"subkey":"%s","message":"%s","sha256":"%s"}]}' \
        "$id" "$(($(date +%s) * 1000 + 600000))" "$subkey" "$(record "$1")" "$fetched"
}
client_under 7 'something else' "$(challenge "$envelope")" prove --server "$server" --store "file://$lab/store"
mkdir -m 700 "$lab/reader"
gpg --homedir "$lab/reader" --batch --quiet --import "$lab/store/$server/agent.asc" 2>/dev/null
printf 'strongroom proof of recovery\nserver %s\nsubkey %s\nuser %s\nchallenge %s\nnonce %s\n' "$server" "$subkey" "$fpr_mallory" "$id" \
    "$(printf '%064d' 1)" | gpg --homedir "$lab/reader" --batch --quiet --trust-model always -r "$subkey!" -e >"$lab/challenge.gpg" 2>/dev/null
client_under 7 'another server, user or challenge' "$(challenge "$lab/challenge.gpg")" prove --server "$server" --store "file://$lab/store"

say "the client: an escrow record that is not the newest one, or none, however often it is read"
cp "$own" "$lab/former.gpg"
agent agent escrow >/dev/null
client_under 12 'not the one that the dispatcher holds' "$(fetch "$identity" "$public" "$lab/former.gpg")" prove --server "$server"
client_under 5 'no escrow record' "escrow.fetch body {\"identity\":\"$identity\",\"public_key\":$public,\"records\":[]}" prove --server "$server"

say "the client: an older escrow record, from before a rotation"
agent agent rotate >/dev/null 2>&1 || fail "no rotation"
agent agent backup -q >/dev/null 2>&1 || fail "no backup"
lie "$(fetch "$identity" "$public" "$own")"
as alice recover --server "$server" --into "$lab/old" >/dev/null 2>&1 || true
honest
restore_with() { as alice restore --server "$server" --store "file://$lab/store" --home "$1" --stdout -q >"$lab/restored"; }
expect_failure 11 'it is for the key' restore_with "$lab/old"
[ ! -s "$lab/restored" ] || fail "something was released"
as alice recover --server "$server" --store "file://$lab/store" --into "$lab/new" -q >/dev/null
restore_with "$lab/new"
[ "$(cat "$lab/restored")" = plain ] || fail "the store's own records do not open it"

say "honest again: everything works as before"
as alice prove --server "$server" >/dev/null
lab_run_agent agent
job=$(as alice job create --server "$server" --kind escrow --json | jq -r .job)
as alice job wait "$job" --timeout 60 >/dev/null
