#!/usr/bin/env bash
# A part of a server is backed up, and tables come back: out of a dump and out of a physical backup, to a file, through a
# command, into a running server, as tablespaces.
source "$(dirname "$0")/lab.sh"

usage=2 config=3 not_found=5 exists=6 source=13
lab_mariadb source
sql source "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, item VARCHAR(100));
    INSERT INTO orders SELECT seq, CONCAT('it''s; ', seq) FROM seq_1_to_5000; CREATE TABLE sessions (id INT); INSERT INTO sessions VALUES (1);
    CREATE TABLE people (id INT); CREATE DATABASE crm; CREATE TABLE crm.secret (id INT); INSERT INTO crm.secret VALUES (1)"
lab_site
lab_agent_config agent source
cp "$lab/agent/agent.toml" "$lab/agent.toml"
config() { { sed "s/^source = .*/source = \"$1\"/" "$lab/agent.toml" && printf '%s\n' "${@:2}"; } >"$lab/agent/agent.toml"; }
config mariadb-dump 'databases = ["shop"]' 'exclude-tables = ["shop.sessions"]'
lab_register_agent agent alice
agent agent escrow >/dev/null

say "a part: checked, dumped, listed as one"
agent agent check --json | jq -e '.checks[] | select(.what == "what is dumped") | .result == "ok"' >/dev/null || fail "check: $(agent agent check)"
part=$(agent agent backup -q 2>/dev/null)
from=$part
as alice backup list --server "$server" --store "file://$lab/store" --identity "$identity" | grep -q "$part *part" || fail "not listed as a part"
config mariadb-dump 'tables = ["shop.order"]'
expect_failure $source 'no table shop.order,' agent agent backup
grep -q 'shop.orders' "$lab/err.txt" || fail "the nearest name is not said"
config mariadb-backup 'tables = ["shop.orders"]'
expect_failure $config 'are for dumps' agent agent backup
config mariadb-backup
physical=$(agent agent backup -q 2>/dev/null)

say "one table of the dump: a file, a command, a server; what is not there makes nothing"
as alice recover --server "$server" --identity "$identity" --into "$lab/home" >/dev/null
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$from" "$@"; }
restore --table shop.orders --output "$lab/orders.sql" 2>"$lab/err.txt" || fail "$(cat "$lab/err.txt")"
[ "$(stat -c %a "$lab/orders.sql")" = 600 ] || fail "others may read the file"
! grep -qE 'people|sessions|secret|^USE' "$lab/orders.sql" || fail "more than the table"
expect_failure $exists 'exists already' restore --table shop.orders --output "$lab/orders.sql"
expect_failure $not_found 'no table shop.sessions' restore --table shop.sessions --output "$lab/none.sql"
expect_failure $not_found 'no database crm' restore --database crm --pipe tee "$lab/none.sql"
expect_failure $usage 'no name' restore --table 'shop.*.x' --output "$lab/none.sql"
[ ! -e "$lab/none.sql" ] || fail "a refused restore left a file"
sum=$(sql source 'CHECKSUM TABLE shop.orders EXTENDED' | cut -f 2)
same() { [ "$(sql source "CHECKSUM TABLE $1.orders EXTENDED" | cut -f 2)" = "$sum" ] || fail "$1.orders differs"; }
sql source 'CREATE DATABASE piped'
restore --table shop.orders --pipe -- mariadb --no-defaults -S "$lab/source/s.sock" piped 2>/dev/null
same piped
into() { restore --into-server --defaults-file "$lab/agent/mysql.cnf" "$@"; }
expect_failure $exists 'not empty: shop.orders' into --table shop.orders
into --database shop --into-database beside --json 2>/dev/null | jq -e '[.loaded[].table] == ["orders", "people"]' >/dev/null || fail "what was loaded is not said"
same beside
sql source 'DELETE FROM shop.orders WHERE id > 100'
into --table shop.orders --overwrite 2>/dev/null | grep -q 'loaded table shop.orders' || fail "it does not say so"
same shop

say "the same out of a physical backup; nothing stays in its folder"
mkdir -m 711 "$lab/scratch"
from=$physical
restore --table shop.orders --table crm.secret --scratch "$lab/scratch" --output "$lab/two.sql" 2>/dev/null
sql source 'DROP DATABASE beside; DROP TABLE crm.secret; CREATE DATABASE elsewhere'
sed 's/`shop`/`elsewhere`/' "$lab/two.sql" | mariadb --no-defaults -S "$lab/source/s.sock"
same elsewhere
[ "$(sql source 'SELECT * FROM crm.secret')" = 1 ] || fail "the second table"
expect_failure $not_found 'no table shop.nothing' restore --table shop.nothing --scratch "$lab/scratch" --stdout
[ -z "$(ls -A "$lab/scratch")" ] || fail "left: $(ls -A "$lab/scratch")"

say "what a killed one leaves goes with the next; that of a living one stays"
in_scratch() { find "$lab/scratch" -mindepth 1 -maxdepth 1 | wc -l; }
part_held() { # NAME : a restore that stays in the middle until $lab/NAME.go is there; its process: $held
    as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" --set "$from" --table shop.orders --scratch "$lab/scratch" \
        --pipe -- sh -c "touch $lab/$1.began; while [ -d $lab ] && [ ! -e $lab/$1.go ]; do sleep 0.1; done; cat >$lab/$1.sql" >"$lab/$1.log" 2>&1 &
    wait_until 60 test -e "$lab/$1.began" || fail "$1 does not begin: $(cat "$lab/$1.log")"
    held=$(pgrep -f -- "strongroom .*--pipe -- sh -c touch $lab/$1.began" | head -1)
    lab_pids+=("$held")
}
part_held killed
kill -9 "$held"
gone() { ! kill -0 "$held" 2>/dev/null; }
wait_until 20 gone
touch "$lab/killed.go"
[ "$(in_scratch)" = 1 ] || fail "it was not killed in the middle: $(ls -A "$lab/scratch")"
part_held living
[ "$(in_scratch)" = 1 ] || fail "not removed: $(ls -A "$lab/scratch")"
grep -q 'what 1 restore(s) left that were killed' "$lab/living.log" || fail "not told: $(cat "$lab/living.log")"
[ "$(pgrep -fc -- "mariadbd .*--socket=$lab/scratch/")" = 1 ] || fail "its server still runs"
restore --datadir "$lab/scratch/whole" 2>/dev/null
[ "$(in_scratch)" = 2 ] || fail "what is in use was removed: $(ls -A "$lab/scratch")"
touch "$lab/living.go"
gone() { [ "$(in_scratch)" = 1 ]; }
wait_until 30 gone || fail "left: $(ls -A "$lab/scratch")"
grep -q 'INSERT INTO .orders' "$lab/living.sql" || fail "the living one did not end well: $(cat "$lab/living.log")"
! pgrep -f -- "--socket=$lab/scratch/" >/dev/null || fail "a private server still runs"
rm -r "$lab/scratch/whole"

say "and as tablespaces, by the steps of their README"
restore --table shop.orders --scratch "$lab/scratch" --tablespaces "$lab/files" 2>/dev/null
sql source 'DROP TABLE shop.orders'
mariadb --no-defaults -S "$lab/source/s.sock" <"$lab/files/1-create.sql"
cp "$lab/files/shop/orders.ibd" "$lab/files/shop/orders.cfg" "$lab/source/data/shop/"
chown mysql:mysql "$lab/source/data/shop/"orders.*
mariadb --no-defaults -S "$lab/source/s.sock" <"$lab/files/2-import.sql" | grep -q 'status.OK' || fail "not imported"
same shop
grep -q 'cp .shop/orders.ibd. .shop/orders.cfg. DATADIR/shop/' "$lab/files/README.txt" || fail "other steps: $(cat "$lab/files/README.txt")"
say "all well"
