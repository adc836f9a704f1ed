#!/usr/bin/env bash
# Speaks the protocol with gpg, curl, jq and coreutils only, written from proto/PROTOCOL.md: registers a server and asks for a
# job; then breaks the rules one by one. The project's own agent and client take no part.
source "$(dirname "$0")/lab.sh"

lab_site
token_of_alice=$(cat "$lab/alice.token")

# A host's own key, and the dispatcher's public key, in one ordinary GnuPG home.
uuid=$(cat /proc/sys/kernel/random/uuid)
host=$lab/host
mkdir -m 700 "$host"
h() { gpg --homedir "$host" --batch --no-tty --quiet --trust-model always "$@"; }
h --passphrase '' --quick-generate-key "$uuid@test.invalid" ed25519 cert,sign never
me=$(h --with-colons --list-keys | awk -F: '/^fpr/ {print $10; exit}')
h --passphrase '' --quick-add-key "$me" cv25519 encr never
subkey=$(h --with-colons --list-keys "$me" | awk -F: '/^sub/ {s=1} /^fpr/ && s {print $10; exit}')
h --import "$STRONGROOM_KEYS/development-public.asc"
dispatcher=$(h --with-colons --show-keys "$STRONGROOM_KEYS/development-public.asc" | awk -F: '/^fpr/ {print $10; exit}')
gpg --homedir "$lab/alice" --batch --quiet --import "$STRONGROOM_KEYS/development-public.asc"

message() { # FROM TYPE BODY [ID] [TIME]
    jq -cn --arg type "$2" --arg from "$1" --arg to "$dispatcher" --arg id "${4:-$(cat /proc/sys/kernel/random/uuid)}" \
        --argjson time "${5:-$(date +%s%3N)}" --argjson body "$3" \
        '{v:1, type:$type, from:$from, to:$to, id:$id, time:$time, body:$body}' | tr -d '\n'
}
post() { # GATE : body on stdin; prints the status, answer in $lab/answer
    curl -s -o "$lab/answer" -w '%{http_code}' -H "Authorization: $1" -H 'Content-Type: application/octet-stream' \
        --data-binary @- "$url/v1/messages"
}
seal_as_host() { h -z 0 --sign --encrypt -u "$me" -r "$dispatcher"; }
seal_as_alice() { gpg --homedir "$lab/alice" --batch --no-tty --quiet --trust-model always -z 0 --sign --encrypt -u "$fpr_alice" -r "$dispatcher"; }
open_reply() { # HOME REQUEST-FILE : decrypts $lab/answer, checks the signature's fingerprint and the binding to the request
    gpg --homedir "$1" --batch --no-tty --quiet --trust-model always --status-fd 3 -d "$lab/answer" 3>"$lab/status" >"$lab/reply" 2>/dev/null
    grep -q "^\[GNUPG:\] VALIDSIG $dispatcher" "$lab/status" || fail "the reply is not signed by the dispatcher"
    [ "$(jq -r .re.id "$lab/reply")" = "$(jq -r .id "$2")" ] || fail "the reply is to another id"
    [ "$(jq -r .re.digest "$lab/reply")" = "$(sha256sum <"$2" | cut -d' ' -f1)" ] || fail "the reply is to other bytes"
}
expect_status() { # STATUS GATE TEXT : body on stdin
    local got
    got=$(post "$2")
    [ "$got" = "$1" ] || fail "status $got, expected $1: $(head -c 300 "$lab/answer")"
    grep -q -- "$3" "$lab/answer" || fail "does not say '$3': $(head -c 300 "$lab/answer")"
}

expect_sealed_error() { # KIND TEXT : what the host's message in $lab/m gets, under the dispatcher's signature
    [ "$(seal_as_host <"$lab/m" | post "Bearer $token")" = 200 ] || fail "$(cat "$lab/answer")"
    open_reply "$host" "$lab/m"
    jq -e --arg kind "^($1)$" --arg text "$2" '.type == "error" and (.body.kind | test($kind)) and (.body.text | contains($text))' \
        "$lab/reply" >/dev/null || fail "expected error $1 '$2': $(cat "$lab/reply")"
}

say "the user asks for a registration code"
code=$(head -c 1000 /dev/urandom | tr -dc A-Z2-7 | cut -c1-20)
code_hash=$(printf %s "$code" | sha256sum | cut -d' ' -f1)
message "$fpr_alice" registration.create '{"label":"made with curl","code_hash":"'"$code_hash"'"}' >"$lab/m"
[ "$(seal_as_alice <"$lab/m" | post "Bearer $token_of_alice")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$lab/alice" "$lab/m"
[ "$(jq -r .type "$lab/reply")" = registration.create.reply ] || fail "$(cat "$lab/reply")"

say "the host registers with it"
token=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
register() { # CODE
    message "$me" register "$(jq -cn --arg server "$uuid" --arg key "$(h --armor --export "$me")" --arg sub "$subkey" --arg rec "$fpr_alice" \
        --arg code "$1" --arg hash "$(printf %s "$token" | sha256sum | cut -d' ' -f1)" \
        '{server:$server, domain:"test.invalid", label:"curl-host", version:"curl", public_key:$key, subkey:$sub, recovery:[$rec], code:$code, token_hash:$hash}')"
}
register "$code" >"$lab/m"
[ "$(seal_as_host <"$lab/m" | post "Registration $code_hash")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$host" "$lab/m"
[ "$(jq -r .type "$lab/reply")" = register.reply ] || fail "$(cat "$lab/reply")"
[ "$(jq -r .body.owner "$lab/reply")" = "$fpr_alice" ] || fail "the owner is another"

say "it asks for a job, and gets the escrow order that every new server gets"
message "$me" job.next '{"version":"curl"}' >"$lab/m"
seal_as_host <"$lab/m" >"$lab/sealed"
[ "$(post "Bearer $token" <"$lab/sealed")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$host" "$lab/m"
[ "$(jq -r .body.job.kind "$lab/reply")" = escrow ] || fail "no escrow job: $(cat "$lab/reply")"
job=$(jq -r .body.job.id "$lab/reply")
cp "$lab/reply" "$lab/first-reply"

say "the same message again has no second effect and gets the same reply"
[ "$(post "Bearer $token" <"$lab/sealed")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$host" "$lab/m"
cmp "$lab/reply" "$lab/first-reply"
say "the same id with other content is refused"
id=$(jq -r .id "$lab/m")
message "$me" job.next '{"version":"other"}' "$id" >"$lab/m"
expect_sealed_error protocol "used for another message"

say "a code works once; without token or code nothing is opened"
register "$code" >"$lab/m"
[ "$(seal_as_host <"$lab/m" | post "Registration $code_hash")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$host" "$lab/m"
jq -e '.type == "error" and .body.kind == "refused"' "$lab/reply" >/dev/null || fail "a used code: $(cat "$lab/reply")"
register AAAAA-AAAAA-AAAAA-AAAAA | seal_as_host | expect_status 401 "Registration $(printf %s AAAAAAAAAAAAAAAAAAAA | sha256sum | cut -d' ' -f1)" unauthenticated
message "$me" job.next '{"version":"curl"}' | seal_as_host | expect_status 401 "Bearer $(printf '0%.0s' {1..64})" unauthenticated
say "the token of one peer does not carry the message of another"
message "$me" job.next '{"version":"curl"}' | seal_as_host | expect_status 401 "Bearer $token_of_alice" 'signed by another key'
say "stale, future, misdirected, unknown, unsigned, compressed, garbage"
now=$(date +%s%3N)
message "$me" job.next '{"version":"curl"}' "" $((now - 660000)) | seal_as_host | expect_status 400 "Bearer $token" 'time is'
message "$me" job.next '{"version":"curl"}' "" $((now + 660000)) | seal_as_host | expect_status 400 "Bearer $token" 'time is'
message "$me" job.next '{"version":"curl"}' | sed "s/\"to\":\"$dispatcher\"/\"to\":\"$me\"/" | seal_as_host | expect_status 400 "Bearer $token" 'not for'
message "$me" job.destroy '{}' >"$lab/m"
expect_sealed_error protocol 'job.destroy'
message "$me" job.next '{"version":"curl"}' | h --encrypt -z 0 -r "$dispatcher" | expect_status 401 "Bearer $token" 'not signed'
message "$me" job.next '{"version":"curl"}' | h -z 6 --sign --encrypt -u "$me" -r "$dispatcher" | expect_status 401 "Bearer $token" compressed
head -c 1000 /dev/urandom | expect_status 401 "Bearer $token" error
head -c 1100000 /dev/zero | expect_status 413 "Bearer $token" protocol

say "an agent may not send a user's message, nor finish another's job"
message "$me" server.list '{}' >"$lab/m"
expect_sealed_error forbidden ''
message "$me" job.finished "$(jq -cn --arg job "$(cat /proc/sys/kernel/random/uuid)" '{job:$job, attempt:1, outcome:"succeeded"}')" >"$lab/m"
expect_sealed_error 'forbidden|not_found' ''

say "it reports the job done, and the user sees it"
message "$me" job.finished "$(jq -cn --arg job "$job" '{job:$job, attempt:1, outcome:"failed", problem:{kind:"source", stage:"source", text:"made with curl", hint:""}}')" >"$lab/m"
[ "$(seal_as_host <"$lab/m" | post "Bearer $token")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$host" "$lab/m"
message "$fpr_alice" job.list '{"limit":10}' >"$lab/m"
[ "$(seal_as_alice <"$lab/m" | post "Bearer $token_of_alice")" = 200 ] || fail "$(cat "$lab/answer")"
open_reply "$lab/alice" "$lab/m"
jq -e --arg job "$job" '.body.jobs[] | select(.id == $job) | .problem.text == "made with curl"' "$lab/reply" >/dev/null || fail "$(cat "$lab/reply")"
say "done with gpg and curl only"
