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
sql source 'FLUSH BINARY LOGS; CREATE USER carol@localhost IDENTIFIED BY "x"; CREATE TABLE shop.more SELECT seq FROM shop.seq_1_to_2000'
wait_until 30 is_stored || fail "the log is not stored: $(agent agent status)"
agent agent status | grep -q '^binary log: *stored up to' || fail "status does not tell: $(agent agent status)"

is_shown() { as alice server show "$server" | grep -q '^binary log stored: *up to .*without a gap since'; }
wait_until 30 is_shown || fail "the dispatcher does not tell: $(as alice server show "$server")"

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

say "to the end, accounts and all"
logs() { as alice logs "$1" --server "$server" --store "file://$lab/store" "${@:2}"; }
logs list --identity "$identity"
restore --until latest --datadir "$lab/end-data" >/dev/null
is_the_end() { # NAME : what the server holds now, and no account but those of it
    [ "$(sql "$1" 'CHECKSUM TABLE shop.more')" = "$(sql source 'CHECKSUM TABLE shop.more')" ] || fail "$1: another table"
    [ "$(sql "$1" 'SELECT COUNT(*) FROM mysql.user WHERE User = "carol" OR User LIKE "strongroom%"')" = 1 ] || fail "$1: other accounts"
}
lab_mariadb end "$lab/end-data"
is_the_end end

say "by hand: the files of the log, and the command that is shown with them"
set=$(jq -r .set "$lab/gtid.json")
restore --set "$set" --datadir "$lab/hand-data" --prepare >/dev/null
lab_mariadb hand "$lab/hand-data"
logs extract --home "$lab/home" --set "$set" --until-gtid "$domain-$((${gtid##*-} - 1))" --into "$lab/files" >"$lab/extract.txt"
sed -n 's/^  \(mariadb-binlog .*\)/\1/p' "$lab/extract.txt" | grep . >"$lab/replay.sh"
printf '[client]\nsocket=%s\n' "$lab/hand/s.sock" >"$lab/.my.cnf"
HOME=$lab bash "$lab/replay.sh"
[ "$(sql hand 'SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.orders')" = 1,2,3 ] || fail "by hand: not the state before $gtid"

say "by stock tools alone: RECOVERY.txt"
sed -n '/^----8<---- commands$/,/^----8<---- end$/p' "$lab/store/$server/RECOVERY.txt" | sed '1d;$d' | grep . >"$lab/recover.sh"
env -i PATH=/usr/bin:/bin HOME="$lab" STORE="$lab/store" RECOVERY_HOME="$lab/alice" INTO="$lab/stock-data" LOGS="$lab/stock-logs" \
    bash "$lab/recover.sh" >"$lab/recover.txt" 2>"$lab/recover.log" || fail "$(tail -5 "$lab/recover.log")"
lab_mariadb stock "$lab/stock-data"
printf '[client]\nsocket=%s\n' "$lab/stock/s.sock" >"$lab/.my.cnf"
tail -n 1 "$lab/recover.txt" >"$lab/replay.sh"
HOME=$lab bash "$lab/replay.sh"
is_the_end stock

say "what is not there is refused with the nearest points, and nothing is made"
expect_failure 5 'The farthest before it: --until 2.*binlog.0' restore --until '2099-01-01 00:00:00' --datadir "$lab/none"
expect_failure 5 'The earliest after it: --set 2' restore --until '2020-01-01 00:00:00' --datadir "$lab/none"
expect_failure 2 'fraction of a second' restore --until '2026-01-01 00:00:00.5' --datadir "$lab/none"
expect_failure 2 'a point in time needs --datadir' restore --until latest --stdout
expect_failure 2 'not more' restore --until latest --until-gtid 0-1-1 --datadir "$lab/none"
signature=$(ls "$lab/store/$server"/logs/*/manifest.json.sig | tail -2 | head -1) # a gap
mv "$signature" "$lab/signature"
expect_failure 5 'cannot be reached' restore --until-gtid "$domain-$((${gtid##*-} + 2))" --datadir "$lab/none"
mv "$lab/signature" "$signature"
[ ! -e "$lab/none" ] && ! ls -d "$lab"/.strongroom* 2>/dev/null || fail "a refused restore left something"
for name in good gtid end hand stock; do lab_stop "$(eval "echo \$pid_$name")"; done

say "outside of the backup window a break of the log is told, and the full backup that it needs waits"
again_within() { # BACKUP-WINDOW
    lab_stop "$pid_agent"
    printf 'backup-window = "%s"\n' "$1" >"$lab/window.toml"
    cat "$lab/agent.toml" "$lab/window.toml" >"$lab/agent/agent.toml"
    lab_run_agent agent
}
cp "$lab/agent/agent.toml" "$lab/agent.toml"
now=$(date +%s)
again_within "$(date -d "@$((now + 7200))" +%H:%M)-$(date -d "@$((now + 10800))" +%H:%M)"
sql source 'RESET MASTER; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(100)) ENGINE=InnoDB'
waits() { grep -q AGENT_BACKUP_FOR_LOGS_WAITS "$lab/agent.log"; }
wait_until 60 waits || fail "it is not told that a full backup waits: $(agent agent status)"
grep -q AGENT_LOG_GAP "$lab/agent.log" || fail "the gap was not told"
agent agent status | grep -q '^binary log: .*a full backup is wanted since .*begins in the next backup window' || fail "status does not tell it: $(agent agent status)"
is_shown() { sleep 2 && as alice server show "$server" | grep -q 'a full backup is wanted since'; }
wait_until 100 is_shown || # news goes up to a minute after the last message
    fail "the dispatcher does not tell it: $(as alice server show "$server")"
[ "$(grep -c AGENT_BACKUP_FOR_LOGS_WAITS "$lab/agent.log")" = 1 ] || fail "told more than once"
! grep -q 'AGENT_JOB_FAILED' "$lab/agent.log" || fail "waiting counts as a failure"
[ "$(sets)" = 1 ] || fail "a full backup outside of the window"

say "within the window it is made"
again_within 00:00-24:00
committed() { [ "$(grep -c AGENT_BACKUP_COMMITTED "$lab/agent.log")" = "$1" ]; }
wait_until 60 committed 2 || fail "no full backup after the gap: $(agent agent status)"
wait_until 10 has_sets 2 || fail "the backup is not told at once: $(agent agent status)"
wait_until 10 eval '! agent agent status | grep -q wanted' || fail "still wanted: $(agent agent status)"

say "a backup by hand that could not be told is told by the daemon soon, and one that the logs need and that fails at once"
sed -i "s|$url|http://127.0.0.1:9|" "$lab/agent/state/agent.json" # which the daemon has read
agent agent backup --json >"$lab/by-hand.json" 2>"$lab/by-hand.txt"
jq -e '.reported | not' "$lab/by-hand.json" || fail "it was told by hand: $(cat "$lab/by-hand.txt")"
sed -i "s|http://127.0.0.1:9|$url|" "$lab/agent/state/agent.json"
wait_until 20 has_sets 3 || fail "the backup by hand is not told: $(agent agent status)"
lab_stop "$pid_agent"
printf 'hook-before = ["/bin/false"]\n' >>"$lab/agent/agent.toml"
lab_run_agent agent
sql source 'RESET MASTER'
has_failed() { grep -q 'AGENT_JOB_FAILED the backup for the chain of logs' "$lab/agent.log"; }
wait_until 60 has_failed || fail "no backup was tried: $(agent agent status)"
is_audited() { as alice audit list --json | jq -e '[.entries[] | select(.action == "agent.refusal") | .text | select(contains("the backup for the chain of logs"))] | length == 1' >/dev/null; }
wait_until 10 is_audited || fail "the failed backup is not told: $(as alice audit list)"
echo "point in time: ok"
