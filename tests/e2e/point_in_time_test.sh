#!/usr/bin/env bash
# Point in time with the real programs: the daemon streams the binary log, makes the full backup that it needs, and any moment
# after that is restored, from the store alone.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
sql source 'CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(100)) ENGINE=InnoDB; INSERT INTO shop.orders VALUES (1, "before")'
lab_site
lab_agent_config agent source
printf 'log-stream = true\nlog-interval = "1s"\n' >>"$lab/agent/agent.toml"
lab_register_agent agent alice
lab_run_agent agent

is_stored() { [ "$(agent agent status --json | jq -r '(.logs.at // {}) | "\(.file) \(.sealed)"')" = "$(sql source 'SHOW MASTER STATUS' | awk '{print $1, $2}')" ]; }
sets() { as alice backup list --server "$server" --json | jq -r '.backups | length'; }
has_sets() { [ "$(sets)" = "$1" ]; }

say "the daemon makes the full backup that the logs need"
wait_until 60 has_sets 1 || fail "no full backup was made: $(agent agent status)"
sql source 'INSERT INTO shop.orders VALUES (2, "after the backup")'
sleep 1.1
moment=$(date -u +'%Y-%m-%d %H:%M:%S')
sql source 'INSERT INTO shop.orders VALUES (3, "at the moment"); DROP TABLE shop.orders'
gtid=$(sql source 'SELECT @@gtid_binlog_pos')
wait_until 30 is_stored || fail "the log is not stored: $(agent agent status)"
agent agent status | grep -q '^binary log: *stored up to' || fail "status does not tell: $(agent agent status)"

say "to the moment before the mistake, from the store alone"
as alice recover --server "$server" --identity "$identity" --into "$lab/home" >/dev/null
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" "$@"; }
restore --until "$moment" --datadir "$lab/good-data"
lab_mariadb good "$lab/good-data"
[ "$(sql good 'SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.orders')" = 1,2 ] || fail "not the state of $moment"

say "to the transaction before it"
domain=${gtid%-*}
restore --until-gtid "$domain-$((${gtid##*-} - 1))" --datadir "$lab/gtid-data" --json >"$lab/gtid.json"
lab_mariadb gtid "$lab/gtid-data"
[ "$(sql gtid 'SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.orders')" = 1,2,3 ] || fail "not the state before $gtid"

say "beyond the end, nothing is made, and the nearest point is named"
if restore --until '2099-01-01 00:00:00' --datadir "$lab/none" 2>"$lab/err.txt"; then fail "a time that is not covered was restored"; fi
grep -q "$(date -u +%Y-)" "$lab/err.txt" || fail "the nearest point is not named: $(cat "$lab/err.txt")"
[ ! -e "$lab/none" ] || fail "a refused restore left something"

say "a break of the log is answered with another full backup"
sql source 'RESET MASTER; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(100)) ENGINE=InnoDB'
wait_until 60 has_sets 2 || fail "no full backup after the gap: $(agent agent status)"
grep -q AGENT_LOG_GAP "$lab"/*agent*.log || fail "the gap was not told"
echo "point in time: ok"
