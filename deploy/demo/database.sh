#!/usr/bin/env bash
# For deploy/demo.sh: private MariaDB servers, each in $demo/NAME, reachable by their socket only.

test_data=/usr/share/mysql/mysql-test/include
sysbench_tables=4
sysbench_rows=280000 # four tables of these are more than 200 MB

database_sql() { mariadb --no-defaults --user=root --socket="$demo/$1/s.sock" --batch --skip-column-names "${@:2}"; }

# database_make NAME [DATADIR]: a folder with settings; a fresh data directory unless one is given.
database_make() {
    local name=$1 folder=$demo/$1 data=${2:-$demo/$1/data} account=
    mkdir -p "$folder"/{tmp,binlog}
    [ "$(id -u)" -ne 0 ] || account='user=mysql'
    cat >"$folder/my.cnf" <<CNF
[mysqld]
$account
datadir=$data
socket=$folder/s.sock
pid-file=$folder/m.pid
log-error=$folder/error.log
tmpdir=$folder/tmp
skip-networking=1
skip-name-resolve=1
server-id=1
log-bin=$folder/binlog/b
binlog-format=ROW
gtid-strict-mode=1
plugin-dir=/usr/lib/mysql/plugin
innodb-buffer-pool-size=128M
innodb-log-file-size=64M
CNF
    database_own "$folder"
    if [ $# -gt 1 ]; then
        database_own "$data"
    else
        mariadb-install-db --defaults-file="$folder/my.cnf" --auth-root-authentication-method=normal --skip-test-db \
            >"$folder/install.log" 2>&1 || fail_with "$folder/install.log"
    fi
}
database_own() { [ "$(id -u)" -ne 0 ] || chown -R mysql:mysql "$1"; }

database_start() {
    start_child "$1" "$demo/$1/out.log" mariadbd --defaults-file="$demo/$1/my.cnf"
    wait_for 60 "$demo/$1/error.log" mariadb-admin --no-defaults --user=root --socket="$demo/$1/s.sock" ping
}
database_stop() { stop_child "$1"; }

database_load() {
    local file
    database_sql "$1" -e 'CREATE DATABASE world; CREATE DATABASE dbt3; CREATE DATABASE sbtest'
    # These files are written for mariadb-test: its own commands are left out.
    for file in world:world_schema world:world dbt3:dbt3_s001; do
        sed -E '/^(--|disable_|enable_|let |eval )/d' "$test_data/${file#*:}.inc" | database_sql "$1" "${file%%:*}" >/dev/null
    done
    database_sysbench "$1" --tables=$sysbench_tables --table-size=$sysbench_rows --threads=2 prepare >"$demo/$1/sysbench.log" 2>&1 ||
        fail_with "$demo/$1/sysbench.log"
    [ "$(du -sb "$demo/$1/data/sbtest" | cut -f1)" -ge 200000000 ] || fail "the sysbench schema is smaller than 200 MB"
}
database_sysbench() {
    sysbench oltp_write_only --mysql-socket="$demo/$1/s.sock" --mysql-user=root --mysql-db=sbtest "${@:2}"
}
database_size() { echo "$(($(du -sb "$demo/$1/data" | cut -f1) / 1000000)) MB of data"; }
database_tables() {
    database_sql "$1" -e "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES
        WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ('world', 'dbt3', 'sbtest') ORDER BY 1"
}

# Two writers: sysbench transactions, and single updates of `world`. Both until database_stop_writes.
database_write() {
    start_child writer "$demo/writer.log" sysbench oltp_write_only --mysql-socket="$demo/$1/s.sock" --mysql-user=root \
        --mysql-db=sbtest --tables=$sysbench_tables --table-size=$sysbench_rows --threads=1 --rate=60 --time=0 run
    start_child ticker "$demo/ticker.log" bash -c '
        while :; do
            echo "UPDATE City SET Population = Population + 1 WHERE ID = 1 + FLOOR(RAND() * 4000);"
            sleep 0.2
        done | exec mariadb --no-defaults --user=root --socket="$1" world' ticker "$demo/$1/s.sock"
}
database_stop_writes() {
    kill -0 "${children[writer]}" 2>/dev/null || fail_with "$demo/writer.log"
    stop_child writer
    stop_child ticker
}
# Rows changed or deleted since the server started.
database_writes() {
    database_sql "$1" -e "SELECT SUM(CAST(VARIABLE_VALUE AS UNSIGNED)) FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME IN ('HANDLER_UPDATE', 'HANDLER_DELETE')"
}

# The agent's account: no more than mariadb-backup needs. The password is made here and lives in this file only.
database_user() {
    local password
    password=$(openssl rand -hex 16)
    printf '[client]\nuser=strongroom\npassword=%s\nsocket=%s\n' "$password" "$demo/$1/s.sock" >"$2"
    database_sql "$1" <<SQL
CREATE USER strongroom@localhost IDENTIFIED BY '$password';
GRANT RELOAD, PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO strongroom@localhost;
SQL
}

# database_replay FROM TO FILE POSITION: the binary log of FROM, from its last start up to exactly this position.
# The user that the agent got is in it too; that is the server's own history and harms nothing.
database_replay() {
    local folder=$demo/$1/binlog first
    first=$(cat "$demo/first-binlog")
    # shellcheck disable=SC2046  # names of our own files, one word each
    (cd "$folder" && mariadb-binlog --stop-position="$4" $(ls b.[0-9]* | grep -v idx | awk -v a="$first" -v z="$3" '$0 >= a && $0 <= z')) |
        database_sql "$2"
}

database_checksums() {
    local list
    list=$(tr '\n' ',' <<<"$2")
    database_sql "$1" -e "CHECKSUM TABLE ${list%,}"
}

compare_checksums() {
    local table before after bad=0
    printf '   %-32s %12s %12s\n' TABLE BEFORE AFTER
    while IFS=$'\t' read -r table before; do
        after=$(awk -F'\t' -v t="$table" '$1 == t { print $2 }' "$2")
        if [ -n "$after" ] && [ "$before" != NULL ] && [ "$before" = "$after" ]; then
            printf '   %-32s %12s %12s  same\n' "$table" "$before" "$after"
        else
            printf '   %-32s %12s %12s  DIFFERENT\n' "$table" "$before" "${after:-missing}"
            bad=1
        fi
    done <"$1"
    [ -s "$1" ] && [ "$(wc -l <"$1")" -eq "$(wc -l <"$2")" ] && [ $bad -eq 0 ]
}
