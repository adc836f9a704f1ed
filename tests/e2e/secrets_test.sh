#!/usr/bin/env bash
# S25: while a backup runs, no secret stands in any process's argv or environment, in any log, or in a file outside the key homes.
source "$(dirname "$0")/lab.sh"

password=Pa55-$(head -c 12 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
lab_mariadb source
sql source "CREATE USER backup@localhost IDENTIFIED BY '$password'; GRANT RELOAD, PROCESS, BINLOG MONITOR, LOCK TABLES ON *.* TO backup@localhost;
    CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, REPEAT(MD5(seq), 5) FROM seq_1_to_80000"
lab_site
lab_agent_config agent source
printf '[client]\nuser=backup\npassword=%s\nsocket=%s\n' "$password" "$lab/source/s.sock" >"$lab/agent/mysql.cnf"
printf 'segment-size = 131072\n' >>"$lab/agent/agent.toml" # many gpg children, and time to look at them
lab_register_agent agent alice
token=$(cat "$lab/agent/state/token")
user_token=$(cat "$lab/alice.token")
code=$(jq -r .code "$lab/code.json")
lab_run_agent agent

# Watches every process of this machine, as fast as it can, until told to stop. gpg's passphrase is not known beforehand, so any
# base64 line of its shape (44 characters ending in =) counts; so does armored secret key material.
watch_processes() {
    while [ ! -e "$lab/stop" ]; do
        cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' >>"$lab/seen.raw" || true
        echo round >>"$lab/rounds"
    done
}
watch_processes &
watcher=$!
lab_pids+=("$watcher")
as alice job create --server "$server" --kind backup --json >"$lab/job.json"
job=$(jq -r .job "$lab/job.json")
state() { as alice job list --server "$server" --json | jq -r --arg job "$job" '.jobs[] | select(.id == $job) | .state'; }
finished() { case $(state) in succeeded | failed) ;; *) return 1 ;; esac }
wait_until 120 finished || fail "the backup does not finish"
[ "$(state)" = succeeded ] || fail "the backup failed: $(as alice job list --server "$server")"
touch "$lab/stop"
wait "$watcher"
sort -u "$lab/seen.raw" >"$lab/seen"
say "$(wc -l <"$lab/rounds") rounds over all processes, $(wc -l <"$lab/seen") different strings"
grep -q -- '--passphrase-fd' "$lab/seen" || fail "the watcher never saw gpg: it proves nothing"
grep -q -- 'mariadb-backup' "$lab/seen" || fail "the watcher never saw mariadb-backup"

search() { # WHAT PATTERN FILES... : a secret in a file is a failure; our own shell's variables are not exported
    local what=$1 pattern=$2
    shift 2
    ! grep -lE -- "$pattern" "$@" || fail "$what shows in $*"
}
passphrase_shape='(^|[^A-Za-z0-9+/])[A-Za-z0-9+/]{43}=($|[^A-Za-z0-9+/=])'
for where in "$lab/seen" "$lab/agent.log" "$lab/dispatcher.log"; do
    search "the MySQL password" "$password" "$where"
    search "the agent's token" "$token" "$where"
    search "the user's token" "$user_token" "$where"
    search "the registration code" "$code" "$where"
    search "a data passphrase" "$passphrase_shape" "$where"
    search "a private key" 'PRIVATE KEY' "$where"
    search "a user's passphrase" 'correct horse' "$where"
done
# On disk: the token only in its own file, the password only in the option file, no passphrase anywhere in state or store.
found=$({ grep -rlsF -D skip -- "$token" "$lab" --exclude=seen.raw --exclude=seen || true; } | sort | tr '\n' ' ')
[ "$found" = "$lab/agent/state/token " ] || fail "the agent's token lies in: $found"
found=$({ grep -rlsF -D skip -- "$password" "$lab/agent" "$lab/store" "$lab/dispatcher" || true; } | tr '\n' ' ')
[ "$found" = "$lab/agent/mysql.cnf " ] || fail "the password lies in: $found"
! grep -rqE -- "$passphrase_shape" "$lab/agent/state" || fail "a passphrase lies in the state"
[ -z "$(find "$lab/agent/state" -type f -perm /077)" ] || fail "files of the agent are open to others: $(find "$lab/agent/state" -type f -perm /077)"
open=$(find "$lab/dispatcher" -type f -perm /077 ! -name dispatcher.asc) # dispatcher.asc is the public key
[ -z "$open" ] || fail "files of the dispatcher are open to others: $open"
[ -z "$(find "$lab/agent/state/tmp" -mindepth 1 2>/dev/null)" ] || fail "temporary files are left: $(find "$lab/agent/state/tmp" -mindepth 1)"
say "no secret was seen"
