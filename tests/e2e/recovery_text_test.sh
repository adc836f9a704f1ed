#!/usr/bin/env bash
# Follows RECOVERY.txt to the letter: what is between its marker lines, with the project's programs out of reach, for a folder,
# an S3 server with TLS and an SFTP server, each once with gpg and once with sqop.
source "$(dirname "$0")/lab.sh"

say "an S3 server, an SFTP server, a database, and an agent for each store"
lab_s3 owner
bucket() { lab_s3_curl owner /dev/null --fail "$@"; } # CURL-ARGS...
bucket -X PUT "$endpoint/backups"

lab_sftp() { # an sshd on loopback that serves $lab/sftp; sets $sftp_port
    local dir=$lab/sshd
    mkdir -p "$dir" "$lab/sftp" /run/sshd
    until sftp_port=$((32000 + RANDOM % 700)) && ! (exec 3<>"/dev/tcp/127.0.0.1/$sftp_port") 2>/dev/null; do :; done
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/user_key"
    cat >"$dir/config" <<C
ListenAddress 127.0.0.1
Port $sftp_port
HostKey $dir/host_key
AuthorizedKeysFile $dir/user_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
C
    echo "[127.0.0.1]:$sftp_port $(cat "$dir/host_key.pub")" >"$dir/known_hosts"
    /usr/sbin/sshd -D -e -f "$dir/config" 2>"$lab/sshd.log" &
    lab_pids+=($!)
    wait_until 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$sftp_port" || fail "sshd does not start"
}
lab_sftp

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders SELECT seq, CONCAT("item ", seq) FROM seq_1_to_5000'
lab_site
declare -A servers identities
back_up() { # NAME : registers this agent, deposits its key, makes a backup
    lab_register_agent "$1" alice
    servers[$1]=$server
    identities[$1]=$identity
    agent "$1" escrow >"$lab/escrow.txt"
    agent "$1" backup -q >"$lab/backup.txt"
}
lab_agent_config folder source
back_up folder
for _ in 1 2; do # increments: what is restored is the newest
    sql source 'UPDATE shop.orders SET item = CONCAT(item, " again") WHERE id % 7 = 0; REPLACE INTO shop.orders SELECT id + 100000, item FROM shop.orders WHERE id < 50'
    sql source 'DELETE FROM shop.orders WHERE id BETWEEN 200 AND 260 OR id > 100010'
    agent folder backup --incremental --json | jq -e '.kind == "incremental"' >/dev/null || fail "no increment was made"
done
before=$(sql source 'CHECKSUM TABLE shop.orders')

lab_agent_config sftp source # this one dumps
cat >"$lab/sftp/agent.toml" <<C
store = "sftp://$(id -un)@127.0.0.1:$sftp_port$lab/sftp/files"
sftp-key-file = "$lab/sshd/user_key"
sftp-known-hosts = "$lab/sshd/known_hosts"
source = "mariadb-dump"
mysql-option-file = "$lab/sftp/mysql.cnf"
state-dir = "$lab/sftp/state"
min-interval = 0
C
back_up sftp

seq 1 400000 >"$lab/plain"
lab_file_agent_config s3 "$lab/plain" 'segment-size = 262144' "s3-endpoint = \"$endpoint\"" \
    "s3-ca-file = \"$lab/s3/ca.pem\"" "s3-credentials-file = \"$lab/owner.s3\""
sed -i 's|^store = .*|store = "s3://backups/mysql/main"|' "$lab/s3/agent.toml"
back_up s3

say "host and dispatcher are gone; a stranger has the stores, the recovery key and stock tools"
lab_stop "$pid_source" KILL
lab_stop "$pid_dispatcher"
for name in folder sftp s3; do
    gpgconf --homedir "$lab/$name/state/gnupg" --kill all
    rm -rf "$lab/$name/state"
done
rm -rf "$lab/dispatcher" "$lab/source"
printf 'correct horse alice' >"$lab/alice.pw"
gpg --homedir "$lab/alice" --batch --pinentry-mode loopback --passphrase-file "$lab/alice.pw" --export-secret-keys >"$lab/alice.sec"
mkdir "$lab/nobody" "$lab/without-gpg"
for tool in gpg gpgconf; do printf '#!/bin/sh\necho "%s was used"\nexit 99\n' $tool >"$lab/without-gpg/$tool"; done
chmod 700 "$lab"/without-gpg/*
! env -i PATH=/usr/bin:/bin bash -c 'command -v strongroom || command -v strongroom-agent' || fail "our programs are installed here"
block() { # TEXT-FILE NAME : prints what stands between its marker lines
    sed -n "/^----8<---- $2\$/,/^----8<---- end\$/p" "$1" | sed '1d;$d' | grep . || fail "$1 has no commands '$2'"
}
stranger() { # SCRIPT VARIABLE=VALUE... : runs it in a clean environment
    local script=$1
    shift
    env -i PATH=/usr/bin:/bin HOME="$lab/nobody" "$@" bash "$script"
}
copy() { # NAME METHOD VARIABLE=VALUE... : step 1 of the text, into $lab/copy-NAME
    local name=$1 method=$2
    shift 2
    block "$lab/$name.txt" "copy with $method" >"$lab/copy.sh"
    mkdir -p "$lab/copy-$name"
    (cd "$lab/copy-$name" && stranger "$lab/copy.sh" "$@") >"$lab/copy.log" 2>&1 || fail "$method: $(tail -5 "$lab/copy.log")"
}
decrypt() { # NAME gpg|sqop VARIABLE=VALUE... : step 2, into $lab/NAME-PROGRAM
    local name=$1 program=$2 with=(RECOVERY_HOME="$lab/alice")
    shift 2
    [ "$program" = gpg ] || with=(PATH="$lab/without-gpg:/usr/bin:/bin" OPENPGP="$program" RECOVERY_KEY="$lab/alice.sec" \
        RECOVERY_PASSPHRASE="$lab/alice.pw")
    block "$lab/$name.txt" commands >"$lab/recover.sh"
    (cd "$lab/copy-$name" && stranger "$lab/recover.sh" "${with[@]}" INTO="$lab/$name-$program" "$@")
}
twice() { # NAME : with both programs
    local program
    for program in gpg sqop; do
        decrypt "$1" $program >"$lab/decrypt.log" 2>&1 || fail "$1, $program: $(tail -5 "$lab/decrypt.log")"
    done
}

say "a folder: what is not the server's is refused, with either program"
cp "$lab/store/${servers[folder]}/RECOVERY.txt" "$lab/folder.txt"
copy folder cp FROM="$lab/store"
segment=$(find "$lab/copy-folder" -name 000000.gpg | sort | sed -n 2p) # of the first increment
cp -r "$lab/copy-folder" "$lab/forged"
sed -i 's/"plain_total": ./"plain_total": 0/' "$lab/forged/${servers[folder]}"/sets/*/manifest.json
for program in gpg sqop; do
    expect_failure 1 'signed by another key' decrypt folder $program IDENTITY="$(printf 'A%.0s' {1..40})"
    expect_failure 1 'signature is not valid' decrypt folder $program STORE="$lab/forged"
    cp "$segment" "$lab/good"
    printf '\x00' | dd of="$segment" bs=1 seek=5000 conv=notrunc status=none
    expect_failure 1 'segment is damaged' decrypt folder $program
    cp "$lab/good" "$segment"
    [ ! -e "$lab/folder-$program" ] || fail "a refused recovery left $lab/folder-$program"
done

say "a folder: a data directory on which a server starts"
twice folder
for program in gpg sqop; do
    lab_mariadb "restored_$program" "$lab/folder-$program"
    [ "$(sql "restored_$program" 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "$program: the restored table differs"
done
[ ! -e "$lab/folder-gpg.increment" ] || fail "an increment was left behind"
! gpg --homedir "$lab/alice" --batch --list-keys "${identities[folder]}" 2>/dev/null || fail "the user's home was changed"

say "SFTP: a dump, loaded as the text says"
cp "$lab/sftp/files/${servers[sftp]}/RECOVERY.txt" "$lab/sftp.txt"
copy sftp sftp FROM="$(id -un)@127.0.0.1:$lab/sftp/files" PORT="$sftp_port" KEY="$lab/sshd/user_key" KNOWN_HOSTS="$lab/sshd/known_hosts"
twice sftp
cmp "$lab/sftp-gpg/dump.sql" "$lab/sftp-sqop/dump.sql"
sql restored_gpg 'DROP DATABASE shop'
sed -n 's/^ *\(mariadb < .*\)/\1/p' "$lab/sftp.txt" | grep . >"$lab/load.sh"
printf '[client]\nsocket=%s\n' "$lab/restored_gpg/s.sock" >"$lab/nobody/.my.cnf"
stranger "$lab/load.sh" INTO="$lab/sftp-gpg"
[ "$(sql restored_gpg 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the loaded table differs"

say "S3 with TLS: by rclone and by curl"
bucket -X GET -o "$lab/s3.txt" "$endpoint/backups/mysql/main/${servers[s3]}/RECOVERY.txt"
keys=(AWS_ACCESS_KEY_ID=key-owner AWS_SECRET_ACCESS_KEY=secret-owner FROM=backups/mysql/main ENDPOINT="$endpoint")
copy s3 rclone "${keys[@]}" RCLONE_CA_CERT="$lab/s3/ca.pem"
twice s3
mv "$lab/copy-s3" "$lab/by-rclone"
copy s3 curl "${keys[@]}" CURL_CA_BUNDLE="$lab/s3/ca.pem"
diff -r "$lab/by-rclone" "$lab/copy-s3"
rm -r "$lab/copy-s3"
sed -i 's/list-type=2/&\&max-keys=7/' "$lab/s3.txt" # lists that come in parts
copy s3 curl "${keys[@]}" CURL_CA_BUNDLE="$lab/s3/ca.pem"
diff -r "$lab/by-rclone" "$lab/copy-s3"
for program in gpg sqop; do cmp "$lab/plain" "$lab/s3-$program/stream"; done
say "recovered with stock tools, three stores, two programs: $before"
