#!/usr/bin/env bash
# source = "mydumper" with the real programs: backed up through memory, proven, restored whole and in parts, as SQL and as files
# for myloader; what a killed agent leaves is gone.
source "$(dirname "$0")/lab.sh"

config=3 not_found=5 source=13 usage=2
lab_mariadb source
lab_mariadb target
sql source "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, item VARCHAR(100));
    INSERT INTO orders SELECT seq, CONCAT('it''s; ', seq, '\n;\n') FROM seq_1_to_5000; CREATE TABLE sessions (id INT); INSERT INTO sessions VALUES (1);
    CREATE VIEW items AS SELECT item FROM orders; CREATE PROCEDURE shop.p() SELECT 'p'; CREATE TRIGGER tr BEFORE DELETE ON orders FOR EACH ROW SET @x = 1;
    CREATE DATABASE crm; CREATE TABLE crm.people (id INT); INSERT INTO crm.people VALUES (1)"
lab_site
lab_agent_config agent source
mkdir -m 700 "$lab/memory"
mkdir -m 711 "$lab/proof"
sed -i 's/^source = .*/source = "mydumper"/' "$lab/agent/agent.toml"
printf '%s\n' 'proof-figures = true' "proof-folder = \"$lab/proof\"" "mydumper-folder = \"$lab/memory\"" >>"$lab/agent/agent.toml"
cp "$lab/agent/agent.toml" "$lab/agent.toml"
lab_register_agent agent alice
agent agent escrow >/dev/null
back_up() { # mydumper 0.10 hangs by chance, which the agent sees: once more
    agent agent backup -q 2>"$lab/backup.txt" || { grep -q 'mydumper hangs' "$lab/backup.txt" && agent agent backup -q 2>"$lab/backup.txt"; }
}
nothing_waits() { [ -z "$(ls -A "$lab/memory")" ] || fail "left in memory: $(ls -A "$lab/memory")"; }

say "check tells what mydumper leaves out, the backup is made and proven"
agent agent check --json >"$lab/check.json" || true
jq -e '[.checks[] | select(.result == "fail")] == []' "$lab/check.json" >/dev/null || fail "check: $(cat "$lab/check.json")"
jq -e '.checks[] | select(.what == "what mydumper leaves out") | .result == "warn"' "$lab/check.json" >/dev/null || fail "check does not tell it"
set=$(back_up)
nothing_waits
agent agent verify --full --json >"$lab/proof.json" 2>"$lab/err.txt" || fail "not proven: $(cat "$lab/err.txt" "$lab/proof.json")"
jq -se 'any(.[]; .. | objects | .equal? == 3)' "$lab/proof.json" >/dev/null || fail "not compared: $(cat "$lab/proof.json")"
! grep -rqa "it's" "$lab/store" || fail "plain text in the store"

say "restored whole, as SQL into another server, and by myloader"
as alice recover --server "$server" --identity "$identity" --into "$lab/home" >/dev/null
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$set" "$@"; }
sum() { sql "$1" "CHECKSUM TABLE shop.orders, crm.people EXTENDED" | cut -f 2 | xargs; }
same() {
    [ "$(sum source | wc -w)" = 2 ] && [ "$(sum target)" = "$(sum source)" ] || fail "$1: other rows"
    [ "$(sql target 'SELECT COUNT(*) FROM shop.items')" = 5000 ] || fail "$1: the view"
    [ "$(sql target 'CALL shop.p()')" = p ] || fail "$1: the procedure"
    [ "$(sql target 'SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = "shop"')" = 1 ] || fail "$1: the trigger"
    sql target 'DROP DATABASE shop; DROP DATABASE crm'
}
restore --pipe -- mariadb --no-defaults -S "$lab/target/s.sock" 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
same "as SQL"
restore --dump-folder "$lab/files" --json 2>/dev/null | jq -e '.folder != null' >/dev/null || fail "no JSON"
[ "$(stat -c %a "$lab/files")" = 700 ] || fail "others may read the folder"
myloader --socket "$lab/target/s.sock" --user root --directory "$lab/files" >"$lab/myloader.log" 2>&1 || fail "myloader: $(cat "$lab/myloader.log")"
same "by myloader"

say "one table: a file, a running server; what is not there makes nothing"
restore --table shop.orders --output "$lab/orders.sql" 2>/dev/null
! grep -qE 'people|sessions|PROCEDURE' "$lab/orders.sql" || fail "more than the table"
printf '[client]\nuser=root\nsocket=%s\n' "$lab/target/s.sock" >"$lab/target.cnf"
chmod 600 "$lab/target.cnf"
restore --table shop.orders --into-server --defaults-file "$lab/target.cnf" --into-database other 2>/dev/null | grep -q 'loaded table' || fail "not loaded"
[ "$(sql target 'CHECKSUM TABLE other.orders EXTENDED' | cut -f 2)" = "$(sql source 'CHECKSUM TABLE shop.orders EXTENDED' | cut -f 2)" ] || fail "other rows"
expect_failure $not_found 'no table shop.order,*' restore --table shop.order --output "$lab/none.sql"
grep -q 'shop.orders' "$lab/err.txt" || fail "the nearest name is not said"
expect_failure $usage 'dump-folder' restore --datadir "$lab/none"
ls "$lab"/none* 2>/dev/null && fail "a refused restore left something"

say "a part; what mydumper would leave out is an error"
printf 'databases = ["shop"]\nexclude-tables = ["shop.sessions"]\n' | cat "$lab/agent.toml" - >"$lab/agent/agent.toml"
set=$(back_up)
as alice backup list --server "$server" --store "file://$lab/store" --identity "$identity" | grep -q "$set *part" || fail "not listed as a part"
expect_failure $not_found 'no table shop.sessions' restore --table shop.sessions --output "$lab/none.sql"
cp "$lab/agent.toml" "$lab/agent/agent.toml"
sql source 'CREATE TABLE crm.gone (id INT); CREATE VIEW crm.broken AS SELECT * FROM crm.gone; DROP TABLE crm.gone'
expect_failure $source 'left out crm.broken' agent agent backup
sql source 'DROP VIEW crm.broken; CREATE TABLE crm.`a.b` (id INT)'
expect_failure $config 'crm.`a.b`' agent agent backup
sql source 'DROP TABLE crm.`a.b`'
nothing_waits

say "an agent that is killed in the middle leaves no mydumper, and the next one removes its files"
sql source 'CREATE TABLE shop.large (id INT PRIMARY KEY, a VARCHAR(600)); INSERT INTO shop.large SELECT seq, REPEAT(MD5(seq), 15) FROM shop.seq_1_to_100000'
printf 'read-limit = "2MiB"\nmydumper-memory = "16MiB"\n' | cat "$lab/agent.toml" - >"$lab/agent/agent.toml"
agent agent backup >"$lab/killed.log" 2>&1 &
lab_pids+=($!)
in_memory() { pgrep -f -- "mydumper .*--outputdir=$lab/memory/"; }
waits() { [ "$(du -sm "$lab/memory" | cut -f 1)" -ge 10 ]; }
wait_until 60 waits || fail "nothing waits: $(cat "$lab/killed.log")"
in_memory >/dev/null || fail "mydumper does not run"
kill -9 "$(pgrep -f -- "strongroom-agent --config $lab/agent/agent.toml backup\$")"
ended() { ! in_memory >/dev/null; }
wait_until 20 ended || fail "mydumper still runs"
[ -n "$(ls -A "$lab/memory")" ] || fail "it was not killed in the middle"
cp "$lab/agent.toml" "$lab/agent/agent.toml"
set=$(back_up)
nothing_waits
restore --table shop.large --pipe -- sh -c 'cat >/dev/null' 2>/dev/null
say "all well"
