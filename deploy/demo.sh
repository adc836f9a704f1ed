#!/usr/bin/env bash
# Strongroom's main job, before your eyes, on a real MariaDB: register a server, let its schedule start an encrypted
# backup while it takes writes, escrow its key, destroy the host, and get the database back.
#
#   deploy/demo.sh                      everything, with the dispatcher alive at recovery
#   deploy/demo.sh --dispatcher-gone    the dispatcher is deleted too: recovery from the store alone
#   deploy/demo.sh --keep               leave everything running at the end and print commands to try
#   deploy/demo.sh --preset NAME        build this preset (default: release)
#   deploy/demo.sh --build-dir DIR      use programs that are built already
#
# Exit status 0 only if every table's checksum agrees. All files are in one folder under /tmp, named at the start and
# removed at the end; nothing listens but on loopback. Takes about two minutes after the build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=demo/steps.sh
. "$root/deploy/demo/steps.sh"
# shellcheck source=demo/database.sh
. "$root/deploy/demo/database.sh"

preset=release
build=
keep=false
dispatcher_gone=false
while [ $# -gt 0 ]; do
    case $1 in
        --preset) preset=${2:?--preset needs a name}; shift ;;
        --build-dir) build=$(cd "${2:?--build-dir needs a folder}" && pwd); shift ;;
        --keep) keep=true ;;
        --dispatcher-gone) dispatcher_gone=true ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) echo "demo.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
    esac
    shift
done

umask 077
demo=$(mktemp -d /tmp/sr-demo.XXXXXX) # short: gpg-agent's sockets lie in it
chmod 755 "$demo"                     # the server's own user must reach its data; secrets are in closed folders
trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
echo "Everything is in $demo"

# --- software ----------------------------------------------------------------------------------------------------
step "Packages from Debian"
"$root/deploy/install-deps.sh"
done_step
if [ -z "$build" ]; then
    build=$root/build/$preset
    step "Build (preset $preset)"
    (cd "$root" && umask 022 && cmake --preset "$preset" && cmake --build "$build" -j "$(nproc)" \
        --target strongroom strongroom-agent strongroom-dispatcher) >"$demo/build.log" 2>&1 ||
        { tail -40 "$demo/build.log" >&2; fail "the build failed"; }
    done_step
fi
PATH=$build/bin:$PATH

# --- a database under load -----------------------------------------------------------------------------------------
step "A private MariaDB with world, DBT-3 and a sysbench schema of at least 200 MB"
database_make source
database_start source
database_load source
database_stop source
cp -a "$demo/source/data" "$demo/reference-data" # the starting point of the independent reference (see below)
database_start source
database_sql source -e "SHOW MASTER STATUS" | cut -f1 >"$demo/first-binlog" # each start begins a new one
tables=$(database_tables source)
note "$(database_size source) in $(wc -l <<<"$tables") tables"
done_step

step "Live writes begin"
database_write source
done_step

# --- the two other parties ----------------------------------------------------------------------------------------
step "A user key with a passphrase, in its own GnuPG home"
user_home=$demo/user/gnupg
mkdir -p "$user_home"
printf 'allow-preset-passphrase\nmax-cache-ttl 86400\n' >"$user_home/gpg-agent.conf"
openssl rand -base64 24 >"$demo/user/passphrase" # as a person would keep it in the head
user_gpg() { gpg --homedir "$user_home" --batch --quiet "$@"; }
user_gpg --pinentry-mode loopback --passphrase-fd 3 --quick-generate-key 'Demo User <demo@example.org>' \
    future-default default never 3<"$demo/user/passphrase" 2>"$demo/user/gpg.log"
user=$(user_gpg --with-colons --list-keys | sed -n 's/^fpr:::::::::\([0-9A-F]*\):.*/\1/p' | head -1)
unlock_user() { # what a pinentry does for a person: the passphrase goes to the agent through a pipe
    local grip
    for grip in $(user_gpg --with-colons --with-keygrip --list-secret-keys | sed -n 's/^grp:::::::::\([0-9A-F]*\):.*/\1/p'); do
        GNUPGHOME=$user_home /usr/lib/gnupg/gpg-preset-passphrase --preset "$grip" <"$demo/user/passphrase"
    done
}
unlock_user
user_gpg --armor --export "$user" >"$demo/user/user.asc"
note "fingerprint $user"
done_step

step "A dispatcher with a SQLite file"
port=$(free_port)
url=http://127.0.0.1:$port
# A development key, compiled into these programs: they use it on loopback only.
strongroom-dispatcher --state-dir "$demo/dispatcher" init --import-key "$build/dispatcher-key/development-secret.asc" \
    >"$demo/dispatcher-init.log" 2>&1 || fail_with "$demo/dispatcher-init.log"
strongroom-dispatcher --state-dir "$demo/dispatcher" user add --name demo --key "$demo/user/user.asc" \
    --token-file "$demo/user/token" >"$demo/user-add.log" 2>&1 || fail_with "$demo/user-add.log"
start_child dispatcher "$demo/dispatcher.log" strongroom-dispatcher --state-dir "$demo/dispatcher" serve \
    --listen "127.0.0.1:$port" --admin-listen "127.0.0.1:$(free_port)"
wait_for 30 "$demo/dispatcher.log" answers "$port"
done_step

export XDG_CONFIG_HOME=$demo/user # the client keeps its things in $XDG_CONFIG_HOME/strongroom
sr() { strongroom "$@"; }
step "The user logs in and asks for a registration code"
sr --dispatcher "$url" --user "$user" --gpg-home "$user_home" \
    --token-file "$demo/user/token" login
code=$(sr -q registration create --label demo-database)
done_step

# --- the host -----------------------------------------------------------------------------------------------------
step "strongroom-agent register, with the user's key pinned on the host"
mkdir -p "$demo/agent" "$demo/store"
database_user source "$demo/agent/mysql.cnf"
cat >"$demo/agent/agent.toml" <<TOML
store = "file://$demo/store"
source = "mariadb-backup"
mysql-option-file = "$demo/agent/mysql.cnf"
state-dir = "$demo/agent/state"
allow-kinds = ["backup", "escrow", "rotate"]
min-interval = 10
TOML
agent() { strongroom-agent --config "$demo/agent/agent.toml" "$@"; }
agent register --dispatcher "$url" --code "$code" --recovery-key "$demo/user/user.asc"
server=$(sr -q --json server list | jq -r '.servers[0].server')
[[ $server =~ ^[0-9a-f-]{36}$ ]] || fail "the dispatcher lists no server"
start_child agent "$demo/agent.log" strongroom-agent --config "$demo/agent/agent.toml" run
sr server list
done_step

step "A schedule: every minute; the backup that it starts, while the server takes writes"
sr schedule set --server "$server" --kind backup --cron '* * * * *'
writes_before=$(database_writes source)
job=
for _ in $(seq 150); do
    job=$(sr -q --json job list --server "$server" | jq -r 'last(.jobs[] | select(.schedule and .kind == "backup")) | .id // empty')
    [ -z "$job" ] || break
    sleep 1
done
[ -n "$job" ] || fail "no job came from the schedule in 150 s; see $demo/dispatcher.log"
sr job wait "$job" --timeout 600
writes=$(($(database_writes source) - writes_before))
[ "$writes" -gt 0 ] || fail "no write went on during the backup"
note "$writes rows were written between the schedule and the end of the backup"
sr schedule set --server "$server" --kind backup --remove
sr backup list --server "$server" --store "file://$demo/store"
done_step

step "The escrow job"
sr job create --server "$server" --kind escrow --wait --timeout 120
sr server show "$server"
done_step

# --- what must come back --------------------------------------------------------------------------------------------
step "Checksums of the database as it was at the backup's position"
note "Writes went on during and after the backup, so the live tables are later than the backup. Compared is with"
note "an independent copy: the data folder from before the writes, moved on with the server's own binary log to"
note "exactly the position in the set's manifest. Nothing of the backup itself goes into it."
set_id=$(sr -q --json job list --server "$server" | jq -r --arg job "$job" '.jobs[] | select(.id == $job) | .set')
manifest=$demo/store/$server/sets/$set_id/manifest.json
database_stop_writes
database_stop source
binlog_file=$(jq -r '.position.binlog_file // empty' "$manifest")
binlog_position=$(jq -r '.position.binlog_position // empty' "$manifest")
[ -n "$binlog_file" ] && [ -n "$binlog_position" ] || fail "the manifest has no binary log position"
database_make reference "$demo/reference-data"
database_start reference
database_replay source reference "$binlog_file" "$binlog_position"
database_checksums reference "$tables" >"$demo/before"
database_stop reference
note "$(wc -l <"$demo/before") tables at $binlog_file:$binlog_position"
done_step

# --- the disaster ---------------------------------------------------------------------------------------------------
step "The host is destroyed: server, data directory and the agent's home are deleted"
stop_child agent
stop_gpg_agents "$demo/agent"
rm -rf "$demo/source" "$demo/reference" "$demo/reference-data" "$demo/agent"
done_step
if $dispatcher_gone; then
    step "The dispatcher is destroyed too: only the store and the user's key are left"
    stop_child dispatcher
    stop_gpg_agents "$demo/dispatcher"
    rm -rf "$demo/dispatcher"
    done_step
fi

# --- recovery -------------------------------------------------------------------------------------------------------
step "strongroom recover: the escrowed key, opened with the user's own gpg"
unlock_user
if $dispatcher_gone; then
    sr recover --server "$server" --store "file://$demo/store" --into "$demo/recovered"
else
    sr recover --server "$server" --into "$demo/recovered"
fi
done_step

step "strongroom restore and prepare"
mkdir "$demo/restored"
sr restore --server "$server" --set "$set_id" --store "file://$demo/store" --home "$demo/recovered" \
    --datadir "$demo/restored-data" --prepare
done_step

step "A server starts on the restored data"
database_make restored "$demo/restored-data"
database_start restored
database_checksums restored "$tables" >"$demo/after"
done_step

step "CHECKSUM TABLE of every table, before and after"
result=0
compare_checksums "$demo/before" "$demo/after" || result=1
done_step
[ $result -eq 0 ] || fail "the restored database differs"
echo
echo "All $(wc -l <"$demo/after") tables agree."
$keep || exit 0

kept=true
cat <<TEXT

Still there, as asked with --keep:
  export PATH=$build/bin:\$PATH XDG_CONFIG_HOME=$demo/user
  mariadb --no-defaults -u root -S $demo/restored/s.sock world   # the restored database
  strongroom backup list --server $server --store file://$demo/store
TEXT
$dispatcher_gone || cat <<TEXT
  strongroom server list          # the dispatcher is at $url
  strongroom audit list
TEXT
cat <<TEXT
  cat $demo/store/$server/RECOVERY.txt                            # the way without Strongroom's programs
The passphrase of the demo key is in $demo/user/passphrase.
To end everything and remove the folder: $demo/stop.sh
TEXT
