#!/usr/bin/env bash
# Ordered backups whose every stage fails for real: the dump tool and the database server die, gpg dies or goes missing, the
# compressor fails, the store is full, broken, read-only or closed, the agent is killed. After each the dispatcher says that the
# job failed, in which stage and of what; no set is listed, nothing is left behind, and the next backup works.
source "$(dirname "$0")/../e2e/lab.sh"
: "${STRONGROOM_FAULTY_CALLS:?the library of tests/fault/faulty_calls.cpp}"

cleanup_and_exit() {
    local status=$? folder
    for folder in "$lab/store" "$lab/disk"; do ! mountpoint -q "$folder" || umount "$folder"; done
    set +e
    (exit "$status")
    lab_cleanup
}

# The agent runs as user mysql, who may not do everything: the programs must be readable for it.
mkdir -m 755 "$lab/bin" "$lab/path"
cp "$STRONGROOM_BIN"/strongroom* "$STRONGROOM_FAULTY_CALLS" "$lab/bin/"
chmod 755 "$lab"/bin/*
STRONGROOM_BIN=$lab/bin

# Stand-ins, found before the real programs. $lab/path/mode tells what is to happen next, "none" for nothing.
stand_in() { # NAME : its script on standard input
    { printf '#!/bin/sh\npath=%s\nmode=$(cat $path/mode)\n' "$lab/path" && cat; } >"$lab/path/$1"
    chmod 755 "$lab/path/$1"
}
part=1500000 # bytes of the dump that come before it dies
stand_in mariadb-backup <<S
real=/usr/bin/mariadb-backup
case " \$* " in *" --backup "*) ;; *) exec \$real "\$@" ;; esac
case \$mode in
    source-exit) \$real "\$@"; exit 1 ;;
    source-signal) \$real "\$@" | head -c $part; kill -9 \$\$ ;;
    source-killed) \$real "\$@" & sleep 0.3; kill -9 \$!; wait \$!; exit \$? ;;
    source-short) \$real "\$@" | head -c $part; exit 0 ;;
    source-not-ok) \$real "\$@" 2>\$path/said; grep -v 'completed OK!' \$path/said >&2; exit 0 ;;
    source-nothing) \$real "\$@" >/dev/null; exit 0 ;;
    server-dies) { \$real "\$@"; echo \$? >\$path/status; } | { head -c $part; kill -9 \$(cat $lab/source/m.pid); cat; }
            exit \$(cat \$path/status) ;;
    gpg-goes) mv \$path/gpg \$path/gpg.gone; trap 'mv \$path/gpg.gone \$path/gpg; exit 1' TERM
            head -c $part /dev/zero; while :; do sleep 0.1; done ;;
    gpg-gone) mv \$path/gpg \$path/gpg.gone; exec \$real "\$@" ;;
esac
exec \$real "\$@"
S
stand_in gpg <<'S'
real=/usr/bin/gpg
case " $mode $* " in
    *" gpg-at-once "*" --symmetric "*) kill -9 $$ ;;
    *" gpg-midway "*" --symmetric "*) $real "$@" | head -c 100; kill -9 $$ ;;
    *" gpg-status "*" --symmetric "*) $real "$@"; exit 2 ;;
    *" gpg-signature "*" --detach-sign "*) $real "$@" >/dev/null; kill -9 $$ ;;
esac
exec $real "$@"
S
cat >"$lab/path/gpgconf" <<S
#!/bin/sh
/usr/bin/gpgconf "\$@" | sed 's|:/usr/bin/gpg\$|:$lab/path/gpg|'
S
chmod 755 "$lab/path/gpgconf"
echo none >"$lab/path/mode"
chmod 644 "$lab/path/mode"
chmod 777 "$lab/path" # the stand-ins move each other

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(250)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, REPEAT(MD5(seq), 6) FROM seq_1_to_20000' # a fresh MariaDB has a user mysql@localhost for this system user
url=
lease=5
lab_user alice
lab_dispatcher
lab_register_user alice
lab_agent_config agent source
sed -i 's/^user=.*/user=mysql/' "$lab/agent/mysql.cnf"
printf 'segment-size = 1048576\n' >>"$lab/agent/agent.toml"
cp "$lab/alice.asc" "$lab/agent/"
as_mysql=(setpriv --reuid=mysql --regid=mysql --clear-groups env HOME="$lab/agent" PATH="$lab/path:$PATH")
chown -R mysql:mysql "$lab/agent" "$lab/store"
"${as_mysql[@]}" "$lab/bin/strongroom-agent" --config "$lab/agent/agent.toml" register --dispatcher "$url" --key-type ed25519 --json \
    --code "$(as alice registration create --label lab --json | jq -r .code)" --recovery-key "$lab/agent/alice.asc" >"$lab/register.json"
server=$(jq -r .server "$lab/register.json")
identity=$(jq -r .identity "$lab/register.json")
fault=$lab/path/fault # rules for the preloaded library; empty: no fault
: >"$fault"
chmod 644 "$fault"
start_agent() {
    "${as_mysql[@]}" FAULTY_CALLS="$fault" LD_PRELOAD="$lab/bin/$(basename "$STRONGROOM_FAULTY_CALLS")" \
        "$lab/bin/strongroom-agent" --config "$lab/agent/agent.toml" run >>"$lab/agent.log" 2>&1 &
    pid_agent=$!
    lab_pids+=("$pid_agent")
}
start_agent

order() { as alice job create --server "$server" --kind backup --json | jq -r .job; }
job_json() { as alice job list --server "$server" --json | jq -c --arg job "$1" '.jobs[] | select(.id == $job)'; }
good=0 in_store=0 # sets that the dispatcher knows, and that lie in the store at hand
sets_listed() { # by the dispatcher, and by the store alone, each under a good signature
    as alice backup list --server "$server" --json | jq '.backups | length'
    as alice backup list --server "$server" --store "file://$lab/store" --identity "$identity" --json | jq '(.sets | length), ([.sets[] | select(.trusted)] | length)'
}
nothing_left() { # WHAT
    [ "$(sets_listed | xargs)" = "$good $in_store $in_store" ] || fail "$1: listed are $(sets_listed | xargs), not $good and $in_store sets"
    local left set
    left=$(find "$lab/agent/state/tmp" -mindepth 1; find "$lab/store" "$lab/agent/state" -name '.*.tmp'
        for set in "$lab/store/$server/sets"/*; do [ -e "$set/manifest.json.sig" ] || [ ! -d "$set" ] || find "$set" -type f; done)
    [ -z "$left" ] || fail "$1: left behind: $left"
}
works() { # WHAT
    local job
    echo none >"$lab/path/mode"
    : >"$fault"
    job=$(order)
    wait_until 90 in_state "$job" succeeded failed || fail "$1: the next backup hangs: $(job_json "$job")"
    in_state "$job" succeeded || fail "$1: the next backup fails: $(job_json "$job")"
    good=$((good + 1)) in_store=$((in_store + 1))
    nothing_left "after $1"
}
job_fails() { # WHAT KIND STAGE TEXT : the next job ends like this
    local job problem
    job=$(order)
    wait_until 120 in_state "$job" failed succeeded expired || fail "$1: the job hangs: $(job_json "$job")"
    in_state "$job" failed || fail "$1: $(job_json "$job")"
    problem=$(job_json "$job" | jq -c .problem)
    jq -e --arg kind "$2" --arg stage "$3" --arg text "$4" \
        '.kind == $kind and .stage == $stage and (.text | test($text))' <<<"$problem" >/dev/null || fail "$1: expected $2, $3, $4: $problem"
    grep -q "AGENT_JOB_FAILED job $job " "$lab/agent.log" || fail "$1: the agent's log does not say it"
    say "$1: $(jq -r '"[\(.stage)] \(.text)"' <<<"$problem" | cut -c 1-150)"
}
fails() { # MODE WHAT KIND STAGE TEXT
    echo "$1" >"$lab/path/mode"
    shift
    job_fails "$@"
    nothing_left "$1"
    works "$1"
}

works "nothing"

fails source-exit "the dump tool ends with a bad status, after all its output" source source 'exit code 1'
fails source-signal "the dump tool dies of a signal" source source 'signal 9'
fails source-killed "the dump tool is killed" source source 'exit code 137'
fails source-short "the dump is short" source source 'completed OK'
fails source-not-ok "the dump tool does not say that it succeeded" source source 'completed OK'
fails source-nothing "the dump tool writes nothing" source source 'wrote nothing'

what="the database server is killed under the dump tool"
echo server-dies >"$lab/path/mode"
job_fails "$what" source source 'exit code'
nothing_left "$what"
what="the database server is down"
job_fails "$what" source source 'connect|socket'
nothing_left "$what"
lab_mariadb source
works "$what"

fails gpg-at-once "gpg dies at once" crypto encrypt 'signal 9'
fails gpg-midway "gpg dies in the middle of its output" crypto encrypt 'signal 9'
fails gpg-status "gpg ends with a bad status, after all its output" crypto encrypt 'exit code 2'
fails gpg-signature "gpg dies at the signature" crypto commit 'signal 9'
fails gpg-goes "gpg goes missing in the middle of a backup" tool_missing encrypt 'gpg'

what="gpg stays missing"
echo gpg-gone >"$lab/path/mode"
job=$(order)
wait_until 60 grep -q "AGENT_JOB_FAILED job $job .*encrypt: .*gpg" "$lab/agent.log" || fail "$what: not in the agent's log"
in_state "$job" succeeded && fail "$what: $(job_json "$job")"
nothing_left "$what"
echo none >"$lab/path/mode"
mv "$lab/path/gpg.gone" "$lab/path/gpg" # the job, which nobody could report, comes again
wait_until 120 in_state "$job" succeeded failed expired
! in_state "$job" succeeded || good=$((good + 1)) in_store=$((in_store + 1))
works "$what"

echo "compress 0 3 -" >"$fault"
fails none "the compressor has no memory" internal compress 'zstd'
echo "fsync 28 5 $lab/store" >"$fault"
fails none "fsync says that the disk is full" storage store 'No space left'
echo "write 28 200000 $lab/store" >"$fault"
fails none "the disk is full after 200000 bytes" storage store 'No space left'

over_store() { # SIZE-OF-DISK COMMAND... : another file system over the store while COMMAND runs
    local size=$1 kept=$in_store
    shift
    mount -t tmpfs -o "size=$size,mode=700,uid=mysql,gid=mysql" tmpfs "$lab/store"
    in_store=0
    "$@"
    umount "$lab/store"
    in_store=$kept
}
store_full() { job_fails "$1" storage store 'No space left on device' && nothing_left "$1"; }
over_store 1m store_full "the store's disk is full"
works "the store's disk is full"
over_store 4k store_full "the store's disk is full from the start"
works "the store's disk is full from the start"

echo "fsync 5 5 $lab/store" >"$fault"
fails none "fsync says that the disk is broken" storage store 'Input/output error'

# A disk that cannot hold what it promised: its file lies on a tmpfs that is too small. The kernel learns that when it writes
# back, and tells at fsync: as EIO for what describes a file, as ENOSPC for what is in it.
what="the store's disk breaks at fsync"
mkdir "$lab/disk"
mount -t tmpfs -o size=1m tmpfs "$lab/disk"
truncate -s 64M "$lab/disk/image"
mke2fs -q -F -O ^has_journal "$lab/disk/image"
if mount -o loop "$lab/disk/image" "$lab/store"; then
    kept=$in_store in_store=0
    chown mysql:mysql "$lab/store"
    chmod 700 "$lab/store"
    job_fails "$what" storage store 'Input/output error|No space left'
    [ "$(sets_listed | xargs)" = "$good 0 0" ] || fail "$what: listed are $(sets_listed | xargs)"
    umount "$lab/store"
    in_store=$kept
else
    say "NOT TRIED: $what: no loop devices here"
fi
umount "$lab/disk"
works "$what"

what="the agent may not write to the store"
chown root "$lab/store/$server/sets"
chmod 755 "$lab/store/$server/sets"
job_fails "$what" storage store 'Permission denied'
chown mysql "$lab/store/$server/sets"
chmod 700 "$lab/store/$server/sets"
nothing_left "$what"
works "$what"

what="the store is mounted read-only"
mount --bind "$lab/store" "$lab/store"
mount -o remount,bind,ro "$lab/store"
job_fails "$what" storage store 'Read-only file system'
umount "$lab/store"
nothing_left "$what"
works "$what"

for rule in "fsync -9 9 $lab/store" "write -9 300000 $lab/store" "rename -9 3 $lab/store" "compress -9 2 -"; do
    what="the agent is killed at '${rule% /*}'"
    echo "$rule" >"$fault"
    job=$(order)
    wait_until 60 test ! -e "/proc/$pid_agent/exe" || fail "$what: it lives"
    [ "$(sets_listed | xargs)" = "$good $in_store $in_store" ] || fail "$what: listed are $(sets_listed | xargs)"
    : >"$fault"
    start_agent
    wait_until 120 in_state "$job" succeeded || fail "$what: the job does not come again: $(job_json "$job")"
    good=$((good + 1)) in_store=$((in_store + 1))
    nothing_left "$what"
    say "$what: the job came again and succeeded"
    works "$what"
done

as alice recover --server "$server" --identity "$identity" --into "$lab/r" >/dev/null
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" --datadir "$lab/new" -q
[ -d "$lab/new/shop" ] || fail "the last set does not restore"
say "$good good sets, and each failure told from a success"
