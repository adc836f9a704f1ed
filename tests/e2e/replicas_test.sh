#!/usr/bin/env bash
# A group of a primary and two replicas: one job per slot, of a replica; who is not fit is passed over; the primary last.
source "$(dirname "$0")/lab.sh"

mkdir "$lab/fresh"
chown mysql "$lab/fresh"
mariadb-install-db --no-defaults --user=mysql --datadir="$lab/fresh" --auth-root-authentication-method=socket \
    --skip-test-db >"$lab/install.log" 2>&1
for n in 1 2 3; do
    mkdir -p "$lab/db$n"
    cp -a "$lab/fresh" "$lab/db$n/data"
done
port=$((20000 + RANDOM % 10000))
mariadb_settings="skip-networking=0
bind-address=127.0.0.1
port=$port"
lab_mariadb db1
sql db1 "CREATE USER repl@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'"
for n in 2 3; do
    mariadb_settings="server-id=$n
read-only=1"
    lab_mariadb "db$n"
    sql "db$n" "CHANGE MASTER TO master_host='127.0.0.1', master_port=$port, master_user='repl', master_password='secret',
        master_use_gtid=slave_pos; START SLAVE"
done
replicates() { [ "$(mariadb --no-defaults -S "$lab/$1/s.sock" -e 'SHOW SLAVE STATUS\G' | grep -c 'Running: Yes')" = 2 ]; }
for n in 2 3; do wait_until 20 replicates "db$n" || fail "db$n does not replicate"; done

lab_site
declare -A uuid
for n in 1 2 3; do
    lab_agent_config "agent$n" "db$n"
    printf 'group = "shop"\n' >>"$lab/agent$n/agent.toml"
    lab_register_agent "agent$n" alice
    uuid[$n]=$server
done
name_of() { for n in 1 2 3; do [ "${uuid[$n]}" != "$1" ] || echo "$n"; done; }

say "check tells what each server is, and what is missing to see it"
agent agent1 check --json | jq -e '.checks[] | select(.what == "replication" and .result == "ok" and (.text | test("primary.*2 replica")))' >/dev/null
agent agent2 check --json | jq -e '.checks[] | select(.what == "replication" and .result == "ok" and (.text | test("replica, 0 s behind server 1")))' >/dev/null
sql db3 "SET GLOBAL read_only = 0; SET sql_log_bin = 0; CREATE USER low@localhost IDENTIFIED BY 'secret';
    GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO low@localhost; SET GLOBAL read_only = 1"
cp "$lab/agent3/mysql.cnf" "$lab/mysql.cnf"
printf '[client]\nuser=low\npassword=secret\nsocket=%s\n' "$lab/db3/s.sock" >"$lab/agent3/mysql.cnf"
agent agent3 check --json >"$lab/check.json" || true
jq -e '.checks[] | select(.what == "replication" and .result == "warn" and (.text | test("GRANT SLAVE MONITOR")))' "$lab/check.json" >/dev/null ||
    fail "a state that cannot be seen is not told: $(cat "$lab/check.json")"
mv "$lab/mysql.cnf" "$lab/agent3/mysql.cnf"

for n in 1 2 3; do lab_run_agent "agent$n"; done
told() { [ "$(as alice group list --json | jq '[.groups[0].members[] | select(.fit and .state.role != "unknown")] | length')" = 3 ]; }
wait_until 20 told || fail "not all told: $(as alice group list)"
as alice group list
as alice server show "${uuid[2]}" | grep -q 'replica, 0 s behind server 1' || fail "server show does not tell it"
expect_failure 5 'no server of yours is in group' as alice schedule set --group shoop --cron '0 3 * * *'
expect_failure 2 'exactly one of --server and --group' as alice schedule set --cron '0 3 * * *'
as alice schedule set --group shop --cron '0 3 1 1 *' --primary-after 0s

# A slot that is due at once, each time another one: the yearly schedule's next one is put into the past.
first_slot=$(($(date +%s) / 60 * 60000))
slots=0
slot() { # sets $job: the slot's job when it has ended
    slots=$((slots + 1))
    sqlite3 "$lab/dispatcher/dispatcher.sqlite" ".timeout 5000" "UPDATE group_schedules SET next_slot = $((first_slot - slots * 60000))"
    ended() {
        as alice job list --json | jq -c '.jobs | map(select(.group == "shop"))' >"$lab/jobs.json"
        [ "$(jq length "$lab/jobs.json")" = "$1" ] && jq -e 'all(.state == "succeeded" or .state == "failed")' "$lab/jobs.json"
    }
    wait_until 30 ended "$slots" || fail "slot $slots: $(cat "$lab/jobs.json") $(as alice group list)"
    job=$(jq -c 'max_by(.created)' "$lab/jobs.json")
    [ "$(jq -r .state <<<"$job")" = succeeded ] || fail "slot $slots failed: $job"
}

say "one slot, one job, of a replica"
slot
first=$(name_of "$(jq -r .server <<<"$job")")
[ "$first" = 2 ] || [ "$first" = 3 ] || fail "not a replica: $job"
other=$((5 - first))

say "its replication stops: its host refuses, and the other replica makes the backup"
sql "db$first" 'STOP SLAVE'
slot
[ "$(name_of "$(jq -r .server <<<"$job")")" = "$other" ] || fail "not the other replica: $job"
jq -e --arg uuid "${uuid[$first]}" '.moved | test($uuid + ": member: it does not hear from")' <<<"$job" >/dev/null || fail "no reason: $job"

say "both stand still: the primary, with a warning"
sql "db$other" 'STOP SLAVE SQL_THREAD'
slot
[ "$(name_of "$(jq -r .server <<<"$job")")" = 1 ] || fail "not the primary: $job"
grep -q 'DISPATCHER_PRIMARY_BACKED_UP' "$lab/dispatcher.log" || fail "the dispatcher does not warn"
grep -q 'AGENT_PRIMARY_BACKED_UP' "$lab/agent1.log" || fail "the agent does not warn"
[ "$(find "$lab/store" -name manifest.json.sig | wc -l)" = 3 ] || fail "not one set for each slot"

say "a host's backup window"
now=$(date +%s)
window=$(date -d "@$((now + 7200))" +%H:%M)-$(date -d "@$((now + 10800))" +%H:%M)
expect_failure 7 'outside this host.s backup window' agent agent1 --backup-window "$window" backup
agent agent1 --backup-window "$window" backup --outside-window -q >/dev/null
expect_failure 2 'no backup window' agent agent1 --backup-window 25:00-26:00 backup
