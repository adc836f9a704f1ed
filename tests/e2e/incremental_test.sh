#!/usr/bin/env bash
# Increments by order and schedule: full, then increments, restored by the client to each moment; what breaks a chain.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders (item) SELECT CONCAT("item ", seq, REPEAT("x", 100)) FROM seq_1_to_20000'
lab_site
lab_agent_config agent source
lab_register_agent agent alice
lab_run_agent agent
order() { as alice job create --server "$server" --kind "$1" --wait --timeout 60 --json; }
sets() { as alice backup list --server "$server" --json | jq -r '.backups | sort_by(.set) | .[] | .set + " " + .kind'; }
newest() { sets | tail -1 | cut -d ' ' -f 1; }

say "an increment without a full backup becomes one, and says so"
order incremental >/dev/null
[ "$(sets | cut -d ' ' -f 2)" = full ] || fail "the first set is not full"
grep -q 'AGENT_FULL_INSTEAD.*no full backup that this host remembers' "$lab"/*agent*.log || fail "nothing was said"

say "increments"
declare -A sums
for step in 1 2 3; do
    sql source "UPDATE shop.orders SET item = 'step $step' WHERE id % 100 = $step"
    order incremental >/dev/null
    sums[$(newest)]=$(sql source 'CHECKSUM TABLE shop.orders')
done
as alice backup list --server "$server"
[ "$(sets | cut -d ' ' -f 2 | tr '\n' ' ')" = 'full incremental incremental incremental ' ] || fail "other kinds: $(sets)"
mapfile -t set < <(sets | cut -d ' ' -f 1)

say "each is restored with what it builds on, whichever is named"
as alice recover --server "$server" --identity "$identity" --into "$lab/home" >/dev/null
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/home" "$@"; }
restored() { # NAME SET
    restore --set "$2" --datadir "$lab/$1-data"
    lab_mariadb "$1" "$lab/$1-data"
    [ "$(sql "$1" 'CHECKSUM TABLE shop.orders')" = "${sums[$3]}" ] || fail "$2: the restored table differs"
}
restored latest latest "${set[3]}"
restored middle "${set[2]}" "${set[2]}"
expect_failure 2 'its stream alone is not a backup' restore --stdout

say "the rules know the chain: nothing that an increment builds on goes"
as alice verify --server "$server" --store "file://$lab/store" >/dev/null
as alice prune --server "$server" --store "file://$lab/store" --keep-last 1 --grace 0s --json >"$lab/plan.json"
jq -e '[.. | objects | select(.set? and .keep? == false)] | length == 0' "$lab/plan.json" >/dev/null || fail "a link would be pruned: $(cat "$lab/plan.json")"

say "a damaged increment is named, and the newest point that works"
object=$lab/store/$server/sets/${set[2]}/data/000000.gpg
printf '\x00' | dd of="$object" bs=1 seek=3000 conv=notrunc status=none
expect_failure 12 "still works is --set ${set[1]}" restore --set latest --datadir "$lab/none"
grep -q "increment ${set[2]}: segment 0" "$lab/err.txt" || fail "the increment is not named"
[ ! -e "$lab/none" ] || fail "a refused restore left something"
restored first "${set[1]}" "${set[1]}"

say "a link that lost its segment ends the chain at the next backup"
rm "$object"
order incremental >/dev/null
[ "$(sets | tail -1 | cut -d ' ' -f 2)" = full ] || fail "an increment was put on a broken chain"
grep -q "AGENT_FULL_INSTEAD.*lacks.*${set[2]}" "$lab"/*agent*.log || fail "the broken link was not named"

say "the schedule of increments stands beside that of full backups"
as alice schedule set --server "$server" --kind backup --cron '0 3 * * 0' >/dev/null
as alice schedule set --server "$server" --kind incremental --every 1h >/dev/null
as alice schedule list --server "$server" --json | jq -e '[.[].kind] | sort == ["backup", "incremental"]' >/dev/null
