#!/usr/bin/env bash
# Follows RECOVERY.txt to the letter: its commands between the marker lines, with the project's programs out of reach.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, CONCAT("item ", seq) FROM seq_1_to_5000'
before=$(sql source 'CHECKSUM TABLE shop.orders')
lab_site
lab_agent_config agent source
lab_register_agent agent alice
agent agent escrow
agent agent backup -q
lab_stop "$pid_source" KILL
lab_stop "$pid_dispatcher"
gpgconf --homedir "$lab/agent/state/gnupg" --kill all
rm -rf "$lab/agent" "$lab/dispatcher" "$lab/source"

# What a stranger has: the store, the recovery key, and stock tools.
text=$lab/store/$server/RECOVERY.txt
sed -n '/^----8<---- commands$/,/^----8<---- end$/p' "$text" | sed '1d;$d' >"$lab/recover.sh"
[ -s "$lab/recover.sh" ] || fail "RECOVERY.txt holds no commands"
stranger() { # VARIABLE=VALUE... : runs the commands in a clean environment
    env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$lab/nobody" STORE="$lab/store" RECOVERY_HOME="$lab/alice" \
        INTO="$lab/restored" "$@" bash "$lab/recover.sh"
}
mkdir "$lab/nobody"
! env -i PATH=/usr/local/bin:/usr/bin:/bin bash -c 'command -v strongroom || command -v strongroom-agent' || fail "our programs are installed here"

say "a forged identity is refused"
expect_failure 1 'signed by another key' stranger IDENTITY="$(printf 'A%.0s' {1..40})"
[ ! -e "$lab/restored" ] || fail "a refused recovery left $lab/restored"

say "a damaged segment is refused"
segment=$(find "$lab/store/$server/sets" -name 000000.gpg)
cp "$segment" "$lab/good"
printf '\x00' | dd of="$segment" bs=1 seek=5000 conv=notrunc status=none
expect_failure 1 'segment is damaged' stranger
[ ! -e "$lab/restored" ] || fail "a refused recovery left $lab/restored"
cp "$lab/good" "$segment"

say "the real thing"
stranger
lab_mariadb restored "$lab/restored"
[ "$(sql restored 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the restored table differs"
gpgconf --homedir "$lab/alice" --list-dirs agent-socket >/dev/null
! gpg --homedir "$lab/alice" --batch --list-keys "$identity" 2>/dev/null || fail "the user's home was changed"
say "recovered with stock tools: $before"
