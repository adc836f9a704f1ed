#!/usr/bin/env bash
# The main job: register, schedule, backup under writes, escrow; host and dispatcher die; the user gets the database back.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders (item) SELECT CONCAT("item ", seq, REPEAT("x", 100)) FROM seq_1_to_20000;
    CREATE DATABASE busy; CREATE TABLE busy.log (id INT AUTO_INCREMENT PRIMARY KEY, t TIMESTAMP)'
before=$(sql source 'CHECKSUM TABLE shop.orders')
lab_site
lab_agent_config agent source
lab_register_agent agent alice
say "registered $server, identity $identity"
( while sql source 'INSERT INTO busy.log (t) VALUES (NOW())' 2>/dev/null; do :; done ) &
writer=$!
lab_pids+=("$writer")
lab_run_agent agent

# Every minute: the next slot is at most 60 s away.
as alice schedule set --server "$server" --kind backup --cron '* * * * *'
backed_up() { [ "$(as alice backup list --server "$server" --json | jq '.backups | length')" -ge 1 ]; }
wait_until 100 backed_up || fail "the scheduled backup did not come: $(as alice job list)"
escrowed() { as alice server show "$server" --json | jq -e .info.escrowed; }
wait_until 30 escrowed || fail "no escrow was made"
as alice backup list --server "$server"
as alice server list
as alice job list --server "$server" --json >"$lab/jobs.json"
jq -e '[.jobs[] | select(.kind == "backup" and .state == "succeeded" and .schedule != null)] | length >= 1' "$lab/jobs.json" >/dev/null

say "the host is destroyed"
lab_stop "$pid_agent"
lab_stop "$writer"
lab_stop "$pid_source" KILL
gpgconf --homedir "$lab/agent/state/gnupg" --kill all
rm -rf "$lab/agent" "$lab/source"

say "recover and restore with the dispatcher"
as alice recover --server "$server" --into "$lab/r1"
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r1" --datadir "$lab/data1" --prepare
lab_mariadb restored "$lab/data1"
[ "$(sql restored 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the restored table differs"
lab_stop "$pid_restored"

say "recover and restore from the store alone"
lab_stop "$pid_dispatcher"
gpgconf --homedir "$lab/dispatcher/gnupg" --kill all
rm -rf "$lab/dispatcher" "$lab/alice-home"
as alice recover --server "$server" --store "file://$lab/store" --identity "$identity" --into "$lab/r2"
as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r2" --datadir "$lab/data2" --prepare
lab_mariadb again "$lab/data2"
[ "$(sql again 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the restored table differs"
say "same checksum before and after: $before"
