#!/usr/bin/env bash
# For deploy/demo.sh: steps with their time, children that are stopped by their pid, and the end.

declare -A children=()
kept=false
step_name=
step_start=0

seconds_now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; } # microseconds

step() {
    step_name=$1
    step_start=$(seconds_now)
    printf '\n== %s\n' "$step_name"
}
done_step() {
    local tenths=$((($(seconds_now) - step_start + 50000) / 100000))
    printf '   (%d.%d s)\n' $((tenths / 10)) $((tenths % 10))
    step_name=
}
note() { printf '   %s\n' "$1"; }
fail() {
    echo "demo.sh: $1" >&2
    exit 1
}
fail_with() {
    cat "$1" >&2
    fail "see above"
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo $port
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for SECONDS LOG COMMAND... : until the command succeeds; shows the log's end and fails otherwise.
wait_for() {
    local limit=$1 log=$2 i
    shift 2
    for ((i = 0; i < limit * 10; i++)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    tail -20 "$log" >&2
    fail "not ready after $limit s: $*"
}

# start_child NAME LOG COMMAND...
start_child() {
    local name=$1 log=$2
    shift 2
    "$@" >"$log" 2>&1 </dev/null &
    children[$name]=$!
}
# Ends a child by its own pid: TERM, up to 30 s, KILL.
stop_child() {
    local pid=${children[$1]:-} i
    [ -n "$pid" ] || return 0
    unset "children[$1]"
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 300; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# The gpg agents that serve homes below a folder.
stop_gpg_agents() {
    local socket
    [ -d "$1" ] || return 0
    find "$1" -type s -name S.gpg-agent -print0 | while IFS= read -r -d '' socket; do
        gpgconf --homedir "$(dirname "$socket")" --kill all 2>/dev/null || true
    done
}

finish() {
    local status=$1 name
    set +e
    [ -z "$step_name" ] || echo "demo.sh: failed in: $step_name" >&2
    if $kept && [ "$status" -eq 0 ]; then
        {
            echo '#!/bin/sh'
            for name in "${!children[@]}"; do echo "kill ${children[$name]}   # $name"; done
            echo 'sleep 3'
            echo "find '$demo' -type s -name S.gpg-agent -exec sh -c 'gpgconf --homedir \"\$(dirname \"\$1\")\" --kill all' _ {} \\;"
            echo "rm -rf '$demo'"
        } >"$demo/stop.sh"
        chmod 700 "$demo/stop.sh"
        return
    fi
    if [ "$status" -ne 0 ]; then
        for name in agent dispatcher; do
            [ -s "$demo/$name.log" ] || continue
            echo "--- the end of $name.log" >&2
            tail -15 "$demo/$name.log" >&2
        done
    fi
    for name in writer ticker agent dispatcher source reference restored; do stop_child "$name"; done
    stop_gpg_agents "$demo"
    rm -rf "$demo"
    [ ! -e "$demo" ] || echo "demo.sh: could not remove $demo" >&2
    exit "$status"
}
