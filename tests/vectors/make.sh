#!/usr/bin/env bash
# make.sh : makes the vectors of sealed messages anew, with stock gpg and openssl only (no Strongroom code).
# Each file in sealed/ is named by what a receiver must find. The keys in keys/ are for tests only; they protect nothing.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
work=$(mktemp -d /tmp/srv.XXXXXX)
trap 'for h in agent dispatcher stranger; do gpgconf --homedir "$work/$h" --kill all || true; done; rm -rf "$work"' EXIT
now=1795311420000 # 2026-11-22T01:37:00Z, where the test's clock stands
id=6f1c2a4e-0b8d-4c53-9a57-2f7d9e3b1c60

declare -A fpr
for who in agent dispatcher stranger; do
    mkdir -m 700 "$work/$who"
    g() { gpg --homedir "$work/$who" --batch --no-tty --quiet --passphrase '' "$@"; }
    uid="$who <$who@vectors.invalid>"
    [ "$who" = agent ] && uid="0a1b2c3d-1111-4222-8333-444455556666 <0a1b2c3d-1111-4222-8333-444455556666@vectors.invalid>"
    g --quick-generate-key "$uid" ed25519 cert,sign never
    fpr[$who]=$(g --with-colons --list-keys | awk -F: '/^fpr/ {print $10; exit}')
    g --quick-add-key "${fpr[$who]}" cv25519 encr never
    g --armor --export-secret-keys "${fpr[$who]}" >"keys/$who.secret.asc"
    g --armor --export "${fpr[$who]}" >"keys/$who.public.asc"
done
for who in agent stranger; do
    for other in dispatcher stranger; do gpg --homedir "$work/$who" --batch --quiet --import "keys/$other.public.asc"; done
done

# json [FIELD VALUE-AS-JSON]... : the message, with fields replaced or added
json() {
    local object
    object=$(jq -cn --arg from "${fpr[agent]}" --arg to "${fpr[dispatcher]}" --arg id $id --argjson time $now \
        '{v:1,type:"job.next",from:$from,to:$to,id:$id,time:$time,body:{version:"0.1.0"}}')
    while [ $# -gt 0 ]; do
        object=$(jq -c --arg f "$1" --argjson v "$2" '.[$f] = $v' <<<"$object")
        shift 2
    done
    printf %s "$object"
}
# gpg_as WHO ARGS... : stdin to stdout
gpg_as() {
    local who=$1
    shift
    gpg --homedir "$work/$who" --batch --no-tty --quiet --trust-model always -z 0 "$@"
}
seal() { gpg_as agent --sign --encrypt -r "${fpr[dispatcher]}" -u "${fpr[agent]}"; }

rm -f sealed/*
json | seal >sealed/ok.gpg
json | gpg_as agent --encrypt -r "${fpr[dispatcher]}" >sealed/unsigned.gpg
json | gpg_as stranger --sign --encrypt -r "${fpr[dispatcher]}" -u "${fpr[stranger]}" >sealed/wrong-signer.gpg
gpg --homedir "$work/agent" --batch --quiet --import keys/stranger.secret.asc
json | gpg_as agent --sign --encrypt -r "${fpr[dispatcher]}" -u "${fpr[agent]}" -u "${fpr[stranger]}" >sealed/two-signatures.gpg
json | gpg_as agent --sign --encrypt -r "${fpr[stranger]}" -u "${fpr[agent]}" >sealed/wrong-recipient.gpg
json to "\"${fpr[stranger]}\"" | seal >sealed/misdirected.gpg
json from "\"${fpr[stranger]}\"" | seal >sealed/from-is-not-signer.gpg
json body '{"version":"0.2.0"}' | seal >sealed/replayed-id.gpg
json time $((now - 11 * 60 * 1000)) | seal >sealed/stale.gpg
json time $((now + 11 * 60 * 1000)) | seal >sealed/future.gpg
head -c $(($(stat -c %s sealed/ok.gpg) - 20)) sealed/ok.gpg >sealed/truncated.gpg
{ head -c 200 sealed/ok.gpg; printf '\x5a'; tail -c +202 sealed/ok.gpg; } >sealed/tampered.gpg
json v 2 | seal >sealed/unknown-version.gpg
json extra '"x"' | seal >sealed/unknown-field.gpg
json type '"job.destroy"' | seal >sealed/unknown-type.gpg
json body '{"version":"0.1.0","command":"id"}' | seal >sealed/unknown-body-field.gpg
printf '%s' "$(json | sed 's/"v":1,/"v":1,"v":1,/')" | seal >sealed/repeated-field.gpg
{ printf '%s' "$(json)" | head -c -1; printf ',"pad":"'; head -c 950000 /dev/zero | tr '\0' x; printf '"}'; } | seal >sealed/oversized.gpg
json | gpg --homedir "$work/agent" --batch --no-tty --quiet --trust-model always -z 6 --sign --encrypt \
    -r "${fpr[dispatcher]}" -u "${fpr[agent]}" >sealed/compressed.gpg
json | gpg_as agent --armor --sign --encrypt -r "${fpr[dispatcher]}" -u "${fpr[agent]}" >sealed/armored.gpg
json | gpg_as agent --symmetric --passphrase-fd 3 --pinentry-mode loopback 3<<<password >sealed/passphrase-encrypted.gpg

# No integrity protection: gpg no longer writes it, so the old packet (tag 9, RFC 4880 section 5.7) is made here from a
# session key that gpg encrypted.
printf x | gpg_as agent --encrypt -r "${fpr[dispatcher]}" >"$work/donor.gpg"
session=$(gpg --homedir "$work/dispatcher" --batch --quiet --show-session-key -d "$work/donor.gpg" 2>&1 >/dev/null |
    sed -n "s/.*session key: '9:\([0-9A-F]*\)'.*/\1/p")
json | gpg_as agent --sign -u "${fpr[agent]}" >"$work/inner"
pkesk_length=$(($(od -An -tu1 -j1 -N1 "$work/donor.gpg") + 2))
prefix=$(openssl rand -hex 16)
head18="$prefix${prefix:28:4}"
cfb() { openssl enc -aes-256-cfb -K "$session" -iv "$1" -nosalt; }
xxd -r -p <<<"$head18" | cfb 00000000000000000000000000000000 >"$work/c1"
iv=$(tail -c 16 "$work/c1" | xxd -p)
cfb "$iv" <"$work/inner" >"$work/c2"
{
    head -c "$pkesk_length" "$work/donor.gpg"
    printf '\xc9\xff'
    printf '%08x' $(($(stat -c %s "$work/c1") + $(stat -c %s "$work/c2"))) | xxd -r -p
    cat "$work/c1" "$work/c2"
} >sealed/no-integrity-protection.gpg
ls -l sealed
