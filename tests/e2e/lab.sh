# lab.sh : parts of end-to-end tests, to be sourced. A private world under one short folder, $lab, removed at the end with
# every process that was started in it. Needs STRONGROOM_BIN (the programs) and STRONGROOM_KEYS (the development key).
# shellcheck shell=bash
set -euo pipefail
umask 077
: "${STRONGROOM_BIN:?the folder of the programs}" "${STRONGROOM_KEYS:?the folder of the development key}"

lab=$(mktemp -d /tmp/sl.XXXXXX)
chmod 711 "$lab" # mariadbd runs as user mysql
lab_pids=()
s3_script=$(dirname "${BASH_SOURCE[0]}")/../support/s3_server.sh

lab_stop() { # PID [SIGNAL]: ends one process that this test started; a zombie counts as gone
    local pid=$1 signal=${2:-TERM} i
    kill "-$signal" "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 200; i++)); do
        case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1) in '' | Z) return 0 ;; esac
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
}

lab_cleanup() {
    local status=$? pid home
    set +e
    [ -z "${lab_s3_started:-}" ] || bash "$s3_script" down "$lab/s3"
    for pid in "${lab_pids[@]}"; do lab_stop "$pid"; done
    while IFS= read -r home; do gpgconf --homedir "$(dirname "$home")" --kill all >/dev/null 2>&1; done \
        < <(find "$lab" -name 'S.gpg-agent' 2>/dev/null)
    if [ "$status" -ne 0 ]; then
        echo "--- FAILED (exit status $status); logs:" >&2
        tail -n 25 "$lab"/*.log >&2 2>/dev/null
    fi
    rm -rf "$lab"
    exit "$status"
}
trap cleanup_and_exit EXIT
cleanup_and_exit() { lab_cleanup; }

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAIL: %s\n' "$*" >&2
    exit 1
}

# expect_failure EXIT-CODE TEXT COMMAND... : the command must fail with this code and say this (extended regex)
expect_failure() {
    local code=$1 text=$2 got=0
    shift 2
    "$@" >"$lab/out.txt" 2>"$lab/err.txt" || got=$?
    [ "$got" -eq "$code" ] || fail "exit code $got, expected $code: $* -- $(cat "$lab/err.txt")"
    grep -qE -- "$text" "$lab/err.txt" || fail "does not say '$text': $* -- $(cat "$lab/err.txt")"
}

wait_until() { # SECONDS COMMAND...
    local limit=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $limit ] || return 1
        sleep 0.2
    done
}

# --- MariaDB ---------------------------------------------------------------------------------------------------------
lab_mariadb() { # NAME [EXISTING-DATADIR]: starts a private server; socket $lab/NAME/s.sock; more settings in $mariadb_settings
    local dir=$lab/$1 data=${2:-$lab/$1/data}
    mkdir -p "$dir/tmp" "$data"
    chmod 711 "$dir"
    cat >"$dir/my.cnf" <<C
[mysqld]
user=mysql
datadir=$data
socket=$dir/s.sock
pid-file=$dir/m.pid
skip-networking
tmpdir=$dir/tmp
log-error=$dir/err.log
server-id=1
log-bin=$dir/binlog
innodb-buffer-pool-size=64M
innodb-log-file-size=16M
${mariadb_settings:-}
C
    chown -R mysql:mysql "$dir" "$data"
    [ -d "$data/mysql" ] || mariadb-install-db --defaults-file="$dir/my.cnf" \
        --auth-root-authentication-method=socket --skip-test-db >"$lab/$1-install.log" 2>&1
    setsid mariadbd --defaults-file="$dir/my.cnf" >"$lab/$1.log" 2>&1 </dev/null &
    lab_pids+=($!)
    eval "pid_$1=$!"
    wait_until 60 mariadb-admin --no-defaults -S "$dir/s.sock" ping || fail "MariaDB $1 does not start: $(tail "$dir/err.log")"
}
sql() { # NAME SQL...
    local name=$1
    shift
    mariadb --no-defaults -S "$lab/$name/s.sock" -N -B -e "$*"
}

# --- dispatcher and user ---------------------------------------------------------------------------------------------
lab_dispatcher() { # starts (again) the dispatcher in $lab/dispatcher; sets $url and $admin
    [ -d "$lab/dispatcher" ] || "$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" init \
        --import-key "$STRONGROOM_KEYS/development-secret.asc" >"$lab/dispatcher-init.log"
    local port=${url##*:}
    : "${port:=0}"
    rm -f "$lab/port"
    "$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" serve --listen "127.0.0.1:$port" \
        --admin-listen 127.0.0.1:0 --lease "${lease:-60}" --alert-interval "${alert_interval:-60}" --port-file "$lab/port" >>"$lab/dispatcher.log" 2>&1 &
    pid_dispatcher=$!
    lab_pids+=($!)
    wait_until 20 test -s "$lab/port" || fail "the dispatcher does not start"
    url=http://$(sed -n 1p "$lab/port")
    admin=http://$(sed -n 2p "$lab/port")
}

lab_s3() { # USERS... : an S3 gateway with TLS in $lab/s3; sets $endpoint; each user's keys in $lab/USER.s3
    local user
    lab_s3_started=1
    bash "$s3_script" up "$lab/s3" $$
    for user in "$@"; do
        bash "$s3_script" user "$lab/s3" "$user"
        printf '[default]\naws_access_key_id = key-%s\naws_secret_access_key = secret-%s\n' "$user" "$user" >"$lab/$user.s3"
    done
    endpoint=https://127.0.0.1:$(cat "$lab/s3/tls-port")
}
lab_s3_curl() { # USER BODY-FILE CURL-ARGS... : a request, signed with this user's keys
    local user=$1 body=$2 digest
    shift 2
    digest=$(sha256sum <"$body" | cut -d' ' -f1)
    curl -sS --cacert "$lab/s3/ca.pem" --aws-sigv4 aws:amz:us-east-1:s3 -K <(echo "user = \"key-$user:secret-$user\"") \
        --data-binary "@$body" -H 'Content-Type: application/json' -H "x-amz-content-sha256: $digest" "$@"
}
in_state() { # JOB STATE... : as the dispatcher's database has it. Asked for often: without the client, which starts gpg several times
    local state
    state=$(sqlite3 -cmd '.timeout 2000' "$lab/dispatcher/dispatcher.sqlite" "SELECT state FROM jobs WHERE id = '$1'")
    shift
    case " $* " in *" $state "*) ;; *) return 1 ;; esac
}
lab_user() { # NAME : key with passphrase in $lab/NAME, unlocked in its own agent; token; sets fpr_NAME
    local name=$1 home=$lab/$1 grip fpr passphrase="correct horse $1"
    mkdir -m 700 "$home"
    # Few rounds from the passphrase to the key: gpg's own number takes 0.1 s of a processor for each use of the key.
    printf 'allow-preset-passphrase\nallow-loopback-pinentry\nauto-expand-secmem\ns2k-count 65536\n' >"$home/gpg-agent.conf"
    cat >"$lab/parameters" <<P
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: sign cert
Subkey-Type: ecdh
Subkey-Curve: cv25519
Subkey-Usage: encrypt
Name-Real: $name
Name-Email: $name@test.invalid
Expire-Date: 0
Passphrase: $passphrase
P
    gpg --homedir "$home" --batch --quiet --pinentry-mode loopback --generate-key "$lab/parameters" 2>/dev/null
    rm "$lab/parameters"
    fpr=$(gpg --homedir "$home" --with-colons --list-keys 2>/dev/null | awk -F: '/^fpr/ {print $10; exit}')
    while IFS= read -r grip; do
        printf %s "$passphrase" | "$(gpgconf --list-dirs libexecdir)/gpg-preset-passphrase" --homedir "$home" --preset "$grip"
    done < <(gpg --homedir "$home" --with-colons --with-keygrip --list-secret-keys 2>/dev/null | awk -F: '/^grp/ {print $10}')
    gpg --homedir "$home" --armor --export "$fpr" >"$lab/$name.asc"
    eval "fpr_$name=$fpr"
}
lab_register_user() { # NAME : makes it known to the dispatcher, token in $lab/NAME.token
    "$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/dispatcher" user add --name "$1" --key "$lab/$1.asc" \
        --token-file "$lab/$1.token" >/dev/null
}
lab_site() { # MORE-USERS... : the dispatcher and the user alice, whom it knows; more users have a key and no more
    local name
    url=
    for name in alice "$@"; do lab_user "$name"; done
    lab_dispatcher
    lab_register_user alice
}
as() { # NAME ARGS... : the client as this user
    local name=$1 fpr
    shift
    eval "fpr=\$fpr_$name"
    HOME=$lab/$name-home "$STRONGROOM_BIN/strongroom" --dispatcher "$url" --user "$fpr" --gpg-home "$lab/$name" \
        --token-file "$lab/$name.token" "$@"
}

# --- agent -----------------------------------------------------------------------------------------------------------
lab_agent_config() { # NAME MARIADB : configuration of agent NAME for a private server, local store $lab/store
    mkdir -p -m 700 "$lab/$1" "$lab/store"
    cat >"$lab/$1/mysql.cnf" <<C
[client]
user=root
socket=$lab/$2/s.sock
C
    cat >"$lab/$1/agent.toml" <<C
store = "file://$lab/store"
source = "mariadb-backup"
mysql-option-file = "$lab/$1/mysql.cnf"
state-dir = "$lab/$1/state"
min-interval = 0
C
}
lab_file_agent_config() { # NAME FILE [MORE-LINES...] : the same for an agent whose backups are the bytes of FILE
    local name=$1 file=$2
    shift 2
    mkdir -p -m 700 "$lab/$name" "$lab/store"
    cat >"$lab/$name/agent.toml" <<C
store = "file://$lab/store"
source = "command"
source-command = ["/bin/cat", "$file"]
state-dir = "$lab/$name/state"
C
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$lab/$name/agent.toml"
}
agent() { # NAME ARGS...
    local name=$1
    shift
    "$STRONGROOM_BIN/strongroom-agent" --config "$lab/$name/agent.toml" "$@"
}
lab_register_agent() { # NAME USER : sets $server
    as "$2" registration create --label lab --json >"$lab/code.json"
    agent "$1" register --dispatcher "$url" --code "$(jq -r .code "$lab/code.json")" --recovery-key "$lab/$2.asc" \
        --key-type ed25519 --json >"$lab/register.json"
    server=$(jq -r .server "$lab/register.json")
    identity=$(jq -r .identity "$lab/register.json")
}
lab_run_agent() { # NAME : the daemon, in the background; pid_NAME is its own process, not a shell's
    "$STRONGROOM_BIN/strongroom-agent" --config "$lab/$1/agent.toml" run >>"$lab/$1.log" 2>&1 &
    lab_pids+=($!)
    eval "pid_$1=$!"
}
