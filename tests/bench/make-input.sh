#!/usr/bin/env bash
# make-input.sh DIR [SYSBENCH-ROWS]: makes a private MariaDB in DIR with sysbench (default 1 GB), world and DBT-3 tables, and writes
# a mariadb-backup xbstream of it to standard output. The server is stopped and DIR removed at the end.
set -euo pipefail
dir=${1:?folder} rows=${2:-430000}
exec 4>&1 1>&2
mkdir -p "$dir"/{data,tmp}
chmod 711 "$(dirname "$dir")" "$dir"
cat >"$dir/my.cnf" <<C
[mysqld]
user=mysql
datadir=$dir/data
socket=$dir/s.sock
pid-file=$dir/m.pid
skip-networking
tmpdir=$dir/tmp
log-error=$dir/err.log
innodb-buffer-pool-size=512M
innodb-log-file-size=256M
innodb-flush-log-at-trx-commit=0
C
chown -R mysql:mysql "$dir"
mariadb-install-db --defaults-file="$dir/my.cnf" --auth-root-authentication-method=socket --skip-test-db >/dev/null 2>&1
mariadbd --defaults-file="$dir/my.cnf" >/dev/null 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 1 200); do mariadb-admin --no-defaults -S "$dir/s.sock" ping >/dev/null 2>&1 && break; sleep 0.1; done
sql() { mariadb --no-defaults -S "$dir/s.sock" "$@"; }
sql -e 'CREATE DATABASE sbtest; CREATE DATABASE world; CREATE DATABASE dbt3'
sysbench oltp_read_write --db-driver=mysql --mysql-socket="$dir/s.sock" --mysql-user=root --tables=10 --table-size="$rows" --threads=2 prepare >/dev/null
data=$(dirname "$(find /usr/share/mysql /usr/share/mariadb -name world.inc 2>/dev/null | head -1)")
load() { sed -E '/^(--|disable_|enable_|let |eval )/d' "$2" | sql "$1"; }
load world "$data/world_schema.inc"
load world "$data/world.inc"
load dbt3 "$data/dbt3_s001.inc"
sql -e 'SET GLOBAL innodb_max_dirty_pages_pct=0; SET GLOBAL innodb_log_checkpoint_now=1' || true
mariadb-backup --no-defaults --backup --stream=xbstream --socket="$dir/s.sock" --user=root --datadir="$dir/data" --target-dir="$dir/tmp" >&4 2>"$dir/backup.log" ||
    { tail "$dir/backup.log" >&2; exit 1; }
