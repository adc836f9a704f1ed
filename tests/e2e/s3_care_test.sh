#!/usr/bin/env bash
# A locked bucket over the years, with the true programs on a real gateway: the host puts and nothing else, the pruner
# verifies and prunes and removes no version, the owner goes back in time.
source "$(dirname "$0")/lab.sh"
forbidden=9 corrupt=12

say "a bucket with Object Lock, a host, a pruner and an owner"
lab_s3 owner host pruner
request() { # USER METHOD PATH-AND-QUERY [BODY-FILE] [HEADER] : prints status and body
    lab_s3_curl "$1" "${4:-/dev/null}" -w '\n%{http_code}\n' -X "$2" ${5:+-H "$5"} "$endpoint/backups$3"
}
status_of() { request "$@" | tail -1; }
request owner PUT '' '' 'x-amz-bucket-object-lock-enabled: true' >/dev/null
store=s3://backups/mysql
lab_site
seq 1 100000 >"$lab/data" # 589 KB
lab_file_agent_config agent "$lab/data" 'min-interval = 0' 'segment-size = 131072'
sed -i "s|^store = .*|store = \"$store\"|" "$lab/agent/agent.toml"
cat >>"$lab/agent/agent.toml" <<C
s3-endpoint = "$endpoint"
s3-ca-file = "$lab/s3/ca.pem"
s3-credentials-file = "$lab/host.s3"
s3-object-lock = "governance"
s3-lock-for = "35d"
metrics-file = "$lab/metrics.prom"
C
lab_register_agent agent alice
user() { # NAME COMMAND...
    as alice --s3-endpoint "$endpoint" --s3-ca-file "$lab/s3/ca.pem" --s3-credentials-file "$lab/$1.s3" "${@:2}"
}
care() { user "$1" "${@:2}" --store "$store" --server "$server" --identity "$identity"; }
user owner --s3-object-lock governance --s3-lock-for 35d -q store policy --store "$store" --server "$server" --agent host --pruner pruner \
    --owner owner >"$lab/policy.json"
[ "$(status_of owner PUT '?policy=' "$lab/policy.json")" = 204 ] || fail "the policy is not taken"
user owner --s3-object-lock governance --s3-lock-for 35d store check --store "$store" >"$lab/check.txt"
grep -qE '^object lock +ok +enabled.*governance, 35 days' "$lab/check.txt" || fail "$(cat "$lab/check.txt")"
agent agent escrow >/dev/null
sets=() until=$(date -u -d '+35 days' +%Y-%m-%d)
for _ in 1 2 3; do
    agent agent backup -q >"$lab/set" || fail "the host cannot back up"
    sets+=("$(cat "$lab/set")")
    sleep 1.1
done
grep -qE '^strongroom_agent_store_operations_total\{operation="put"\} [1-9]' "$lab/metrics.prom" || fail "$(cat "$lab/metrics.prom")"

say "verify: the pruner may, the host may not; a damaged object is found"
expect_failure $forbidden 'AccessDenied' care host verify
care pruner verify >"$lab/out"
[ "$(grep -c ' good' "$lab/out")" = 3 ] || fail "$(cat "$lab/out")"
then=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1.1
damaged=/mysql/$server/sets/${sets[1]}/data/000002.gpg # a thief of the host's keys writes over it
echo destroyed >"$lab/junk"
[ "$(status_of host PUT "$damaged" "$lab/junk")" = 200 ] || fail "the host cannot put"
expect_failure $corrupt '1 of 3 set\(s\) are not good' care pruner verify
grep -q "${sets[1]} .*damaged .*000002.gpg" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"

say "prune: marks, then the removal, which hides; no version goes before its time"
expect_failure $forbidden 'AccessDenied' care host prune --keep-last 1 --apply
prune() { care pruner prune --keep-last 1 --drop-damaged "$@"; }
prune -q >"$lab/plan"
[ "$(grep -cE ' no +retention +mark$' "$lab/plan")" = 2 ] || fail "$(cat "$lab/plan")"
prune --apply >/dev/null
prune --apply >"$lab/plan"
[ "$(grep -cE ' no +retention +wait until 20' "$lab/plan")" = 2 ] || fail "$(cat "$lab/plan")"
[ "$(care pruner verify --json 2>/dev/null | jq '.servers[0].committed')" = 3 ] || fail "a marked set is gone"
sleep 1.1
prune --grace 1s --json >"$lab/plan.json"
jq -e '[.sets[] | select(.action == "remove") | .kept] | length == 2 and all(.versions >= 8 and .locked_until > "20")' "$lab/plan.json" >/dev/null ||
    fail "$(cat "$lab/plan.json")"
prune --grace 1s --apply >"$lab/plan" 2>&1
grep -qE "${sets[0]} is hidden, and takes room still: 8 versions, .*; the last of them is locked until ($until|$(date -u -d '+35 days' +%Y-%m-%d))" "$lab/plan" || fail "$(cat "$lab/plan")"
prune --grace 1s --apply >"$lab/plan" 2>&1
! grep -qE "${sets[0]}|remove" "$lab/plan" || fail "it is not done: $(cat "$lab/plan")"
[ "$(user pruner backup list --store "$store" --server "$server" --identity "$identity" --json | jq -r '[.sets[].set] | join(" ")')" = "${sets[2]}" ] ||
    fail "the wrong sets are left"

say "each of their objects has its delete marker and its versions; nobody removes those, and the owner goes back"
request owner GET "?prefix=mysql%2F$server%2Fsets%2F${sets[0]}%2F&versions=" >"$lab/versions.xml"
markers=$(grep -o '<DeleteMarker>' "$lab/versions.xml" | wc -l) versions=$(grep -o '<Version>' "$lab/versions.xml" | wc -l)
[ "$markers" = 8 ] && [ "$versions" = 8 ] || fail "$markers delete markers, $versions versions"
id=$(grep -o "<Version>.*" "$lab/versions.xml" | grep -o '<VersionId>[^<]*' | head -1 | cut -d'>' -f2)
key=$(grep -o "<Version>.*" "$lab/versions.xml" | grep -o '<Key>[^<]*' | head -1 | cut -d'>' -f2)
for who in host pruner owner; do
    [ "$(status_of $who DELETE "/$key?versionId=$id")" = 403 ] || fail "$who removes a version"
done
as alice -q recover --server "$server" --identity "$identity" --into "$lab/r1"
user owner -q restore --server "$server" --set "${sets[1]}" --store "$store" --as-of "$then" --home "$lab/r1" --stdout | cmp - "$lab/data" ||
    fail "the set of then differs"
user pruner restore --server "$server" --store "$store" --home "$lab/r1" --stdout 2>"$lab/said" | cmp - "$lab/data" || fail "the newest set differs"
grep -qE '^read 1[0-9] objects, [0-9.]+ [KM]i?B$' "$lab/said" || fail "$(cat "$lab/said")" # segments twice

say "rotation where the host may only put: its owner rewraps, and the host ends it"
expect_failure $forbidden 'may not read envelopes' agent agent rotate
grep -q 'strongroom rewrap' "$lab/err.txt" || fail "it does not say what to do: $(cat "$lab/err.txt")"
expect_failure 5 'newest decryption subkey was not recovered' care owner rewrap --home "$lab/r1" # recovered before
as alice -q recover --server "$server" --into "$lab/r2"
expect_failure $forbidden 'AccessDenied' care host rewrap --home "$lab/r2"
care owner rewrap --home "$lab/r2" --json >"$lab/rewrap.json"
jq -e '.sets >= 1 and .rewrapped == .sets and .problems == []' "$lab/rewrap.json" >/dev/null || fail "$(cat "$lab/rewrap.json")"
agent agent rotate --rewrapped >/dev/null 2>&1 || fail "the host does not end it"
agent agent status --json | jq -e '.keys.rotation == null and (.keys.subkeys | length == 2) and .keys.subkeys[0].retired != null' >/dev/null || fail "$(agent agent status --json)"
expect_failure 7 'no rotation waits' agent agent rotate --rewrapped
care owner keys --json | jq -e '[.keys[] | select(.newest) | .sets[]] | length >= 1' >/dev/null || fail "$(care owner keys)"
care owner keys --json | jq -e '[.keys[] | select(.newest | not) | .sets[]] | length == 0' >/dev/null || fail "sets need the old key: $(care owner keys)"
user owner -q restore --server "$server" --store "$store" --home "$lab/r2" --stdout | cmp - "$lab/data" || fail "it does not restore after the rotation"
say "with a read grant on envelopes alone the host rotates by itself, and reads nothing else"
user owner --s3-object-lock governance --s3-lock-for 35d -q store policy --store "$store" --server "$server" --agent host --agent-rotates \
    --pruner pruner --owner owner >"$lab/policy.json"
[ "$(status_of owner PUT '?policy=' "$lab/policy.json")" = 204 ] || fail "the policy is not taken"
set=/mysql/$server/sets/${sets[2]}
for path in "$set/manifest.json" "$set/manifest.json.sig" "$set/data/000000.gpg" "/mysql/$server/agent.asc" "$set/envelope.gpg?acl=" \
    "?prefix=mysql%2F" "?prefix=" "?prefix=mysql%2F$server%2Fescrow%2F" "?versions=&prefix=mysql%2F$server%2Fsets%2F"; do
    [ "$(status_of host GET "$path")" = 403 ] || fail "the host reads $path: $(status_of host GET "$path")"
done
[ "$(status_of host DELETE "$set/envelope.gpg")" = 403 ] || fail "the host removes an envelope"
[ "$(status_of host GET "$set/envelope.gpg")" = 200 ] || fail "the host does not read an envelope"
agent agent rotate --json >"$lab/rotate.json" || fail "the host does not rotate"
jq -e '.number == 3 and .rewrapped == .sets and .sets >= 1' "$lab/rotate.json" >/dev/null || fail "$(cat "$lab/rotate.json")"
as alice -q recover --server "$server" --into "$lab/r3"
user owner -q restore --server "$server" --store "$store" --home "$lab/r3" --stdout | cmp - "$lab/data" || fail "it does not restore after the second rotation"
say "all well"
