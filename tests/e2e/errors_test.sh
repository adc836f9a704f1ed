#!/usr/bin/env bash
# What goes wrong for real users: each error says what, which object and what to do next, has its exit code, and leaves nothing
# half written.
source "$(dirname "$0")/lab.sh"

# Exit codes: common/base/error.cpp.
insecure_file=4 not_found=5 exists=6 refused=7 unauthenticated=8 crypto=11 corrupt=12 storage=14 network=15 tool_missing=17
nothing_listed() { # no set in the store, and no leftovers of a backup
    [ -z "$(find "$lab/store" -name manifest.json.sig)" ] || fail "a set is listed"
    [ -z "$(find "$lab/agent/state/tmp" -mindepth 1 2>/dev/null)" ] || fail "temporary files are left"
}
not_registered() {
    [ ! -e "$lab/agent/state/agent.json" ] || fail "a refused registration left agent.json"
    [ ! -e "$lab/agent/state/token" ] || fail "a refused registration left a token"
}

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(250)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, REPEAT(MD5(seq), 6) FROM seq_1_to_20000'
lab_site mallory
lab_agent_config agent source
register() { agent agent register --dispatcher "$url" --key-type ed25519 --recovery-key "$lab/alice.asc" "$@"; }
new_code() { as alice registration create --label lab --json | jq -r .code; }

say "registration: wrong, expired and used codes"
expect_failure $unauthenticated 'registration code' register --code AAAAA-AAAAA-AAAAA-AAAAA
not_registered
code=$(new_code)
sqlite3 "$lab/dispatcher/dispatcher.sqlite" "UPDATE registration_codes SET expires = 1"
expect_failure $unauthenticated 'no valid token or registration code' register --code "$code"
not_registered

say "registration: another recovery key than the operator names"
code=$(new_code)
expect_failure $crypto 'expected was' register --code "$code" --recovery-fingerprint "$fpr_mallory"
not_registered
gpg --homedir "$lab/mallory" --armor --export >"$lab/two.asc" && cat "$lab/alice.asc" >>"$lab/two.asc"
expect_failure $crypto 'exactly one' agent agent register --dispatcher "$url" --code "$code" --recovery-key "$lab/two.asc"
not_registered

say "registration: the dispatcher is down, is another one, or plain http to the world"
expect_failure $network 'cannot talk to' agent agent register --dispatcher http://127.0.0.1:1 --code "$code" --recovery-key "$lab/alice.asc"
not_registered
expect_failure $refused 'loopback' agent agent register --dispatcher http://192.0.2.1:8420 --code "$code" --recovery-key "$lab/alice.asc"
expect_failure $refused 'development dispatcher key' agent agent register --dispatcher https://192.0.2.1:8420 --code "$code" --recovery-key "$lab/alice.asc"
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/other" init >/dev/null
"$STRONGROOM_BIN/strongroom-dispatcher" --state-dir "$lab/other" serve --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --port-file "$lab/other-port" >>"$lab/other.log" 2>&1 &
lab_pids+=($!)
wait_until 20 test -s "$lab/other-port"
sqlite3 "$lab/dispatcher/dispatcher.sqlite" '.dump registration_codes' '.dump users' | grep INSERT >"$lab/known.sql"
sqlite3 "$lab/other/dispatcher.sqlite" <"$lab/known.sql" # so that its gate knows the code
expect_failure $unauthenticated 'another key' agent agent register --dispatcher "http://$(head -1 "$lab/other-port")" --code "$code" \
    --recovery-key "$lab/alice.asc" --key-type ed25519
not_registered

say "the same code still works for the right registration, once"
register --code "$code" --json >"$lab/register.json"
server=$(jq -r .server "$lab/register.json") identity=$(jq -r .identity "$lab/register.json")
expect_failure $exists 'registered' register --code "$code"
[ "$(jq -r .server "$lab/agent/state/agent.json")" = "$server" ] || fail "the registration was overwritten"

say "configuration that others can read, or that is wrong"
chmod 644 "$lab/agent/agent.toml"
expect_failure $insecure_file 'chmod 0600' agent agent status
chmod 600 "$lab/agent/agent.toml"
chmod 640 "$lab/agent/mysql.cnf"
expect_failure $insecure_file 'mysql.cnf' agent agent backup -q
chmod 600 "$lab/agent/mysql.cnf"
cp "$lab/agent/agent.toml" "$lab/good.toml"
echo 'compres = "zstd"' >>"$lab/agent/agent.toml"
expect_failure 3 'compres' agent agent status
cp "$lab/good.toml" "$lab/agent/agent.toml"
nothing_listed

say "a tool is missing"
mkdir "$lab/path"
for tool in /usr/bin/* /bin/*; do ln -sf "$tool" "$lab/path/"; done
rm -f "$lab/path"/{mariadb-backup,mariabackup,xtrabackup}
PATH=$lab/path expect_failure $tool_missing 'mariadb-backup' agent agent backup -q
nothing_listed

say "a grant is missing: check prints the statement that mends it"
sql source "CREATE USER weak@localhost IDENTIFIED BY 'x'; GRANT PROCESS ON *.* TO weak@localhost"
printf '[client]\nuser=weak\npassword=x\nsocket=%s\n' "$lab/source/s.sock" >"$lab/agent/mysql.cnf"
code=0
agent agent check >"$lab/check.txt" 2>&1 || code=$?
[ "$code" -ne 0 ] || fail "check says all is well: $(cat "$lab/check.txt")"
grep -qE 'GRANT .*RELOAD.* ON \*\.\* TO .?weak' "$lab/check.txt" || fail "check does not print the GRANT: $(cat "$lab/check.txt")"
expect_failure 13 'source' agent agent backup -q
nothing_listed
printf '[client]\nuser=root\nsocket=%s\n' "$lab/source/s.sock" >"$lab/agent/mysql.cnf"

say "the disk is full"
mv "$lab/store" "$lab/store.kept"
mkdir "$lab/store"
mount -t tmpfs -o size=600k,mode=700 tmpfs "$lab/store"
code=0
agent agent backup -q >"$lab/out.txt" 2>"$lab/err.txt" || code=$?
listed=$(find "$lab/store" -name manifest.json.sig)
left=$(find "$lab/store" -path '*/data/*')
umount "$lab/store"
rmdir "$lab/store"
mv "$lab/store.kept" "$lab/store"
[ "$code" = $storage ] || fail "exit code $code on a full disk: $(cat "$lab/err.txt")"
grep -q 'No space left' "$lab/err.txt" || fail "$(cat "$lab/err.txt")"
[ -z "$listed$left" ] || fail "a full disk left $listed$left"

say "escrow goes to the pinned key only"
agent agent escrow
record=$(find "$lab/store/$server/escrow" -name '*.gpg')
recipients() { gpg --homedir "$lab/$1" --batch --list-only --list-packets "$record" 2>/dev/null | sed -n 's/.*keyid \([0-9A-F]*\)$/\1/p' | sort -u; }
[ "$(gpg --homedir "$lab/alice" --with-colons --list-keys | awk -F: '/^sub/ {print $5}')" = "$(recipients alice)" ] || fail "the record has other recipients"
mv "$lab/agent/state/recovery" "$lab/recovery.kept"
mkdir -m 700 "$lab/agent/state/recovery"
gpg --homedir "$lab/agent/state/recovery" --batch --quiet --import "$lab/mallory.asc"
before=$(sha256sum "$record")
expect_failure $crypto "$fpr_alice|$(sed 's/..../& /g;s/ $//' <<<"$fpr_alice")" agent agent escrow
[ "$(sha256sum "$record")" = "$before" ] || fail "the escrow record was replaced"
rm -rf "$lab/agent/state/recovery"
mv "$lab/recovery.kept" "$lab/agent/state/recovery"

say "a good backup, to damage"
agent agent backup -q
set=$(find "$lab/store/$server/sets" -name manifest.json.sig -printf '%h\n' | xargs -n1 basename)
expect_failure $refused 'not known here' as alice recover --server "$server" --into "$lab/r"
[ ! -e "$lab/r" ] || fail "a refused recovery left its folder"
as alice recover --server "$server" --identity "$identity" --into "$lab/r"
restore() { as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r" "$@"; }

say "recovery and restore never overwrite"
expect_failure $exists 'empty|exists' as alice recover --server "$server" --into "$lab/r"
mkdir "$lab/full"
echo keep >"$lab/full/file"
expect_failure $exists 'empty' restore --datadir "$lab/full"
[ "$(cat "$lab/full/file")" = keep ] && [ "$(ls "$lab/full")" = file ] || fail "the target was touched"

say "wrong home, wrong set, wrong identity"
expect_failure $not_found 'recover' as alice restore --server "$server" --store "file://$lab/store" --home "$lab/mallory" --datadir "$lab/new"
cp -r "$lab/r" "$lab/r-other"
rm -rf "$lab/r-other/private-keys-v1.d"
expect_failure $crypto 'envelope.*cannot be opened' as alice restore --server "$server" --store "file://$lab/store" --home "$lab/r-other" --datadir "$lab/new"
expect_failure $refused 'holds the key of server' as alice restore --server "$(cat /proc/sys/kernel/random/uuid)" --store "file://$lab/store" --home "$lab/r" --datadir "$lab/new"
expect_failure $not_found '20200101T000000Z-00000000' restore --set 20200101T000000Z-00000000 --datadir "$lab/new"
[ ! -e "$lab/new" ] || fail "a refused restore left $lab/new"
expect_failure $refused 'but is known by' as alice recover --server "$server" --store "file://$lab/store" --identity "$fpr_mallory" --into "$lab/r-wrong"
rm -rf "$lab/alice-home" # a client that knows no server yet, and is told the wrong fingerprint
expect_failure $refused 'not the identity key that you trust' as alice recover --server "$server" --store "file://$lab/store" --identity "$fpr_mallory" --into "$lab/r-wrong"
[ ! -e "$lab/r-wrong" ] || fail "a refused recovery left its folder"

say "a damaged set"
segment=$lab/store/$server/sets/$set/data/000000.gpg
cp "$segment" "$lab/good.gpg"
printf '\x00' | dd of="$segment" bs=1 seek=4000 conv=notrunc status=none
expect_failure $corrupt 'segment 0 .*000000.gpg' restore --datadir "$lab/new"
[ -z "$(ls -d "$lab"/new* "$lab"/.new* 2>/dev/null)" ] || fail "a failed restore left $(ls -d "$lab"/new* "$lab"/.new*)"
restore --stdout >"$lab/plain" 2>/dev/null && fail "a damaged set restored"
[ ! -s "$lab/plain" ] || fail "plain bytes of a damaged segment were released"
cp "$lab/good.gpg" "$segment"

say "the dispatcher is down: the client says so; the store alone still restores"
lab_stop "$pid_dispatcher"
expect_failure $network 'cannot talk to' as alice server list
agent agent backup -q || fail "a backup by hand needs no dispatcher"
restore --datadir "$lab/new"
[ -d "$lab/new/shop" ] || fail "nothing was restored"
