#!/usr/bin/env bash
# What we write is OpenPGP, not "what gpg happens to read": two other programs, sqop (Sequoia) and rnp (librnp), recover a set
# from the store alone, segment for segment, from the user's own secret key on. gpg takes no part in what they do.
source "$(dirname "$0")/lab.sh"

lab_site
printf 'correct horse alice' >"$lab/alice.pw"
gpg --homedir "$lab/alice" --batch --pinentry-mode loopback --passphrase-file "$lab/alice.pw" --export-secret-keys >"$lab/alice.sec"

# Two thirds text, one third noise, and a last segment of one byte.
plain=$lab/plain
{ seq 1 60000 && head -c 250000 /dev/urandom; } >"$plain.long"
segment_size=65536
count=9 # segments
head -c $(((count - 1) * segment_size + 1)) "$plain.long" >"$plain"
split -b $segment_size -d -a 6 "$plain" "$plain." # the segments, as they must come back

# Each program in its own words. Secret keys, signers and passphrases are files; all of them print what they opened.
sqop_open_escrow() { # FILE SIGNER
    sqop decrypt --with-key-password "$lab/alice.pw" --verify-with "$2" --verifications-out "$lab/verified" -- "$lab/alice.sec" <"$1"
    [ "$(wc -l <"$lab/verified")" -eq 1 ] || fail "sqop did not verify $1"
    rm "$lab/verified"
}
sqop_open_envelope() { sqop decrypt "$2" <"$1"; }                 # FILE KEY
sqop_open_segment() { sqop decrypt --with-password "$2" <"$1"; }  # FILE PASSPHRASE
sqop_verify() { sqop verify "$1.sig" "$2" <"$1" >"$lab/sqop.txt" 2>&1; } # FILE SIGNER

rnp_home() { # KEY-FILE... : a fresh home with these keys
    rm -rf "$lab/rnp-home"
    mkdir -m 700 "$lab/rnp-home"
    local key
    for key; do rnpkeys --homedir "$lab/rnp-home" --import-keys "$key" >"$lab/rnp.txt" 2>&1 || fail "rnp: $(cat "$lab/rnp.txt")"; done
}
rnp_quiet() { rnp --homedir "$lab/rnp-home" --notty --output - "$@" 2>"$lab/rnp.txt"; }
rnp_open_escrow() {
    rnp_home "$lab/alice.sec" "$2"
    rnp_quiet --password "$(cat "$lab/alice.pw")" --decrypt "$1"
    grep -q '^Good signature' "$lab/rnp.txt" || fail "rnp did not verify $1: $(cat "$lab/rnp.txt")"
}
rnp_open_envelope() {
    rnp_home "$2"
    rnp_quiet --password '' --decrypt "$1"
}
rnp_open_segment() { rnp_quiet --pass-fd 3 --decrypt "$1" 3<"$2"; }
rnp_verify() {
    rnp_home "$2"
    rnp --homedir "$lab/rnp-home" --notty --verify --source "$1" "$1.sig" >"$lab/rnp.txt" 2>&1
}

recover_with() { # PROGRAM : everything in the store of $server, from alice's secret key to the plain stream
    local program=$1 folder=$lab/store/$server set out=$lab/$1 i name
    set=$(echo "$folder"/sets/*)
    mkdir "$out"
    "${program}_open_escrow" "$folder"/escrow/*.gpg "$folder/agent.asc" >"$out/subkey" || fail "$program: escrow record"
    "${program}_open_envelope" "$set/envelope.gpg" "$out/subkey" >"$out/passphrase" || fail "$program: envelope"
    [ "$(wc -c <"$out/passphrase")" -eq 45 ] || fail "$program: the envelope holds $(wc -c <"$out/passphrase") bytes"
    "${program}_verify" "$set/manifest.json" "$folder/agent.asc" || fail "$program: the manifest's signature"
    sed 's/"plain_total": ./"plain_total": 0/' "$set/manifest.json" >"$out/manifest.json"
    cmp -s "$set/manifest.json" "$out/manifest.json" && fail "the manifest was not altered"
    cp "$set/manifest.json.sig" "$out"
    "${program}_verify" "$out/manifest.json" "$folder/agent.asc" && fail "$program: takes an altered manifest for a signed one"
    [ "$(jq '.segments | length' "$set/manifest.json")" -eq $count ] || fail "not $count segments"
    for ((i = 0; i < count; i++)); do
        name=$(printf '%06d.gpg' "$i")
        "${program}_open_segment" "$set/data/$name" "$out/passphrase" >"$out/segment" || fail "$program: segment $i"
        zstd -q -d -c "$out/segment" >"$out/plain" || fail "$program: segment $i is no zstd frame"
        cmp "$plain.${name%.gpg}" "$out/plain" || fail "$program: segment $i differs"
        # Its own integrity check sees a flipped bit, too. What it has written by then counts for nothing.
        cp "$set/data/$name" "$out/flipped"
        damage "$out/flipped"
        "${program}_open_segment" "$out/flipped" "$out/passphrase" >"$out/refused" 2>&1 && fail "$program: takes a damaged segment $i"
    done
    say "$program: escrow record, envelope, manifest and $count segments"
}
damage() { # FILE : one bit of its last byte but twelve, within the integrity protection of the shortest message
    local at=$(($(stat -c %s "$1") - 12)) byte
    byte=$(od -An -tu1 -j "$at" -N 1 "$1")
    printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

for type in ed25519 rsa3072; do
    say "a set of an agent with an $type key"
    rm -rf "$lab/store" "$lab/sqop" "$lab/rnp"
    lab_file_agent_config $type "$plain" "segment-size = $segment_size"
    agent $type register --dispatcher "$url" --recovery-key "$lab/alice.asc" --key-type $type --json \
        --code "$(as alice registration create --label lab --json | jq -r .code)" >"$lab/register.json"
    server=$(jq -r .server "$lab/register.json")
    agent $type escrow >/dev/null
    agent $type backup -q >/dev/null
    recover_with sqop
    recover_with rnp
    cmp "$lab/sqop/passphrase" "$lab/rnp/passphrase"
done
