#!/usr/bin/env bash
# A recovery key with a passphrase, on a terminal: gpg's own pinentry asks for it, and Strongroom never sees it. With the true
# pinentry-tty, typed into a pseudo-terminal as a person would.
source "$(dirname "$0")/lab.sh"

lab_site
printf 'asked' >"$lab/plain"
lab_file_agent_config agent "$lab/plain" 'min-interval = 0'
lab_register_agent agent alice
agent agent escrow >/dev/null
agent agent backup -q >/dev/null 2>&1
as alice server list -q >/dev/null # the client remembers the identity

printf 'pinentry-program %s\n' "$(command -v pinentry-tty)" >"$lab/alice/gpg-agent.conf"
gpgconf --homedir "$lab/alice" --kill all # with it go the passphrases that were given to it
declare -f as >"$lab/as.sh"
declare -p lab STRONGROOM_BIN url fpr_alice server >>"$lab/as.sh"

# Runs the client with a terminal and types ANSWER whenever it is asked; what the terminal shows is in $lab/typescript.
on_terminal() { # ANSWER COMMAND...
    local answer=$1 asked=0 now pid
    shift
    rm -f "$lab/keyboard" "$lab/typescript"
    mkfifo "$lab/keyboard"
    COLUMNS=120 script -qefc "bash -c 'source $lab/as.sh; $*'" "$lab/typescript" <"$lab/keyboard" >/dev/null 2>&1 &
    pid=$!
    lab_pids+=($pid)
    exec 5>"$lab/keyboard"
    while kill -0 $pid 2>/dev/null; do
        now=$(grep -aoE 'Passphrase:' "$lab/typescript" 2>/dev/null | wc -l)
        if [ "$now" -gt "$asked" ]; then
            asked=$now
            sleep 0.3 # a person waits for the prompt; the terminal must not echo by then
            printf '%s\n' "$answer" >&5
        fi
        sleep 0.1
        [ $SECONDS -lt 200 ] || break
    done
    exec 5>&-
    times_asked=$asked
    wait $pid
}

say "recover asks on the terminal, and no secret is shown there"
on_terminal 'correct horse alice' 'as alice recover --server "$server" --into "$lab/r"' || fail "recover: $(cat "$lab/typescript")"
[ "$times_asked" -ge 1 ] || fail "nobody was asked: $(cat "$lab/typescript")"
! grep -aq 'correct horse' "$lab/typescript" || fail "the passphrase stands on the terminal"
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --stdout -q >"$lab/stream"
[ "$(cat "$lab/stream")" = asked ] || fail "it does not restore"

say "a wrong passphrase: a clear error, and nothing is left behind"
gpgconf --homedir "$lab/alice" --kill all
got=0
on_terminal 'wrong' 'as alice recover --server "$server" --into "$lab/wrong"' || got=$?
[ "$got" = 11 ] || [ "$got" = 8 ] || fail "exit code $got: $(cat "$lab/typescript")"
grep -aqE 'strongroom: error: cannot sign with the key .*: Bad passphrase' "$lab/typescript" || fail "no clear error: $(cat "$lab/typescript")"
[ ! -e "$lab/wrong" ] || fail "something was written"

say "without a terminal: a clear error that says what to do"
gpgconf --homedir "$lab/alice" --kill all
got=0
(unset GPG_TTY && as alice recover --server "$server" --into "$lab/none") </dev/null >"$lab/out.txt" 2>"$lab/err.txt" || got=$?
[ "$got" != 0 ] && [ ! -e "$lab/none" ] || fail "recovered without a passphrase"
grep -qE 'GPG_TTY|terminal|pinentry' "$lab/err.txt" || fail "no clear error: $(cat "$lab/err.txt")"
say "all well"
