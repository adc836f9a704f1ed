#!/usr/bin/env bash
# What a store needs over the years: sets verified without a key, and old ones removed; with the true programs.
source "$(dirname "$0")/lab.sh"

usage=2 missing=5 refused=7 crypto=11 corrupt=12 insecure=4
lab_site
seq 1 100000 >"$lab/data" # 589 KB
lab_file_agent_config agent "$lab/data" 'min-interval = 0' 'segment-size = 65536'
lab_register_agent agent alice
sets=()
for _ in 1 2 3 4 5; do sets+=("$(agent agent backup -q)") && sleep 1.1; done
store=file://$lab/store
data() { printf '%s' "$lab/store/$server/sets/$1/data/$2.gpg"; }
log=$lab/alice-home/.config/strongroom/verified/$server.json

say "nothing is verified of a server whose key is not known here; then all is good, and it is remembered"
expect_failure $refused 'is not known|--identity' as alice verify --store "$store" --server "$server"
as alice verify --store "$store" --server "$server" --identity "$identity" >"$lab/out"
cat "$lab/out"
[ "$(grep -c ' good' "$lab/out")" = 5 ] || fail "not all five are good"
jq -e '.sets | length == 5 and all(.result == "good" and .flaws == 0 and .stored_bytes > 0)' "$log" >/dev/null || fail "$(cat "$log")"
[ "$(stat -c %a "$log")" = 600 ] || fail "others can read the log"
care() { as alice "$@" --store "$store" --server "$server" --identity "$identity"; }
verified_at() { jq -r --arg set "$1" '.sets[] | select(.set == $set) | .verified' "$log"; }

say "a part: what was verified longest ago comes first; a sample has its share"
sleep 1.1
care verify --at-most 2 --json >"$lab/v.json"
jq -e --arg a "${sets[0]}" --arg b "${sets[1]}" '[.servers[0].sets[].set] == [$a, $b] and .servers[0].committed == 5' "$lab/v.json" >/dev/null || fail "$(cat "$lab/v.json")"
sleep 1.1
care verify --at-most 1 --json | jq -e --arg c "${sets[2]}" '[.servers[0].sets[].set] == [$c]' >/dev/null || fail "not the oldest verification"
care verify --sample 40 --json | jq -e '.servers[0].sets | length == 2' >/dev/null || fail "40 % of five are two"
care verify --set "${sets[4]}" --json | jq -e '.servers[0].sets | length == 1' >/dev/null || fail "--set"
expect_failure $usage 'is no set id' care verify --set nonsense

say "each class of damage has its exit code, and the object is named"
cp -a "$lab/store" "$lab/store.good"
again() { rm -rf "$lab/store" && cp -a "$lab/store.good" "$lab/store"; }
printf X | dd of="$(data "${sets[1]}" 000003)" bs=1 seek=500 conv=notrunc status=none
expect_failure $corrupt '1 of 5 set\(s\) are not good' care verify
grep -q "${sets[1]} .*damaged .*000003.gpg: .*SHA-256" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
again
rm "$(data "${sets[2]}" 000001)"
expect_failure $missing '1 of 5' care verify
grep -q "${sets[2]} .*missing .*000001.gpg" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
again
sed -i 's/"compression": *"zstd"/"compression":"none"/' "$lab/store/$server/sets/${sets[0]}/manifest.json"
rm "$(data "${sets[2]}" 000001)"
expect_failure $crypto '2 of 5' care verify # the worst of two
grep -q "${sets[0]} .*untrusted" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
again
mv "$lab/store/$server/sets/${sets[3]}" "$lab/moved"
expect_failure $missing '1 of 5 ' care verify
grep -q "${sets[3]} .*missing .*gone from the store" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
care verify --forget-missing --json | jq -e '.servers[0].sets | length == 4' >/dev/null || fail "it is not forgotten"
again
care verify -q >/dev/null

say "a set that the server's own key signed anew is noticed, each time, and replaces nothing"
manifest=$lab/store/$server/sets/${sets[2]}/manifest.json
sed -i -E 's/"source_version": ?"[^"]*/&X/' "$manifest"
grep -qE '"source_version": ?"[^"]*X"' "$manifest" || fail "the manifest was not changed"
gpg --homedir "$lab/agent/state/gnupg" --batch --quiet --yes --local-user "$identity" --output "$manifest.sig" --detach-sign "$manifest"
for _ in 1 2; do
    expect_failure $crypto '1 of 5' care verify
    grep -q "${sets[2]} .*untrusted .*not the one that was verified before" "$lab/out.txt" || fail "$(cat "$lab/out.txt")"
done
again
care verify -q >/dev/null

say "a log that is signed, and one that others could have written"
care verify --at-most 1 --sign -q >/dev/null
gpg --homedir "$lab/alice" --batch -d "$log" 2>"$lab/gpg.err" | jq -e '.sets | length == 5' >/dev/null || fail "$(cat "$lab/gpg.err")"
grep -q 'Good signature' "$lab/gpg.err" || fail "$(cat "$lab/gpg.err")"
cp "$log" "$lab/log.signed"
printf X | dd of="$log" bs=1 seek=100 conv=notrunc status=none
expect_failure $crypto '.' care prune --keep-last 1
cp "$lab/log.signed" "$log"
gpg --homedir "$lab/alice" --batch -d "$log" 2>/dev/null >"$lab/log.plain"
cp "$lab/log.plain" "$log" && chmod 644 "$log"
expect_failure $insecure 'verified' care prune --keep-last 1
chmod 600 "$log"

say "prune: first a plan, then marks, then the removal after the grace time"
expect_failure $usage 'no rule' care prune
care prune --keep-last 2 | tee "$lab/plan"
[ "$(grep -cE ' no +retention +mark$' "$lab/plan")" = 3 ] && [ ! -e "$lab/store/$server/prune" ] || fail "not a plan of three"
care prune --keep-last 2 --apply -q >/dev/null
[ "$(find "$lab/store/$server/prune" -name '*.json' | wc -l)" = 3 ] || fail "no marks"
care prune --keep-last 2 --apply -q >"$lab/plan"
[ "$(grep -cE ' no +retention +wait until 20' "$lab/plan")" = 3 ] || fail "$(cat "$lab/plan")"
[ "$(care verify --json | jq '.servers[0].committed')" = 5 ] || fail "a marked set is gone"
care prune --keep-last 4 --apply -q >/dev/null # the rules changed: two marks go
[ "$(find "$lab/store/$server/prune" -name '*.json' | wc -l)" = 1 ] || fail "the marks stay"
sleep 1.1
care prune --keep-last 4 --grace 1s --apply -q >"$lab/plan"
[ ! -e "$lab/store/$server/sets/${sets[0]}" ] || fail "something is left of the oldest: $(find "$lab/store/$server/sets/${sets[0]}")"
[ "$(as alice backup list --store "$store" --server "$server" --identity "$identity" --json | jq '.sets | length')" = 4 ] || fail "the oldest is still listed"
[ ! -e "$lab/store/$server/prune" ] || fail "a mark is left"
jq -e '.sets | length == 4' "$log" >/dev/null || fail "the log remembers what was pruned"
listed() { as alice backup list --server "$server" --json | jq -r '.backups[].set'; }
! listed | grep -q "${sets[0]}" || fail "the dispatcher lists what was pruned"
[ "$(listed | wc -l)" = 4 ] || fail "the dispatcher lists: $(listed)"
care verify -q >/dev/null

say "what was not verified, or is not good, replaces nothing"
new=$(agent agent backup -q)
care prune --keep-last 1 --grace 0s --apply -q >"$lab/plan"
grep -qE "$new .* yes +not verified" "$lab/plan" && grep -qE "${sets[4]} .* yes +newest that can be restored, last 1" "$lab/plan" || fail "$(cat "$lab/plan")"
[ "$(care verify --json | jq '.servers[0].committed')" = 2 ] || fail "the wrong sets are left"
printf X | dd of="$(data "$new" 000003)" bs=1 seek=500 conv=notrunc status=none
expect_failure $corrupt '1 of 2' care verify
care prune --keep-last 1 --grace 0s --apply -q >"$lab/plan"
grep -qE "$new .* yes +not good" "$lab/plan" && grep -qE "${sets[4]} .* yes +newest that can" "$lab/plan" || fail "$(cat "$lab/plan")"
newest=$(agent agent backup -q)
care verify -q >/dev/null || true
care prune --keep-last 1 --grace 0s --drop-damaged --apply -q >"$lab/plan"
[ "$(care verify --json | jq -r '[.servers[0].sets[].set] | join(" ")')" = "$newest" ] || fail "$(cat "$lab/plan")"

say "a set that was begun and never finished goes after a day, the same way"
mkdir -p "$lab/store/$server/sets/20240101T000000Z-00000000/data"
head -c 1000 /dev/urandom >"$lab/store/$server/sets/20240101T000000Z-00000000/data/000000.gpg"
care prune --keep-last 1 --apply | tee "$lab/plan"
grep -qE '20240101T000000Z-00000000 .* no +unfinished +mark' "$lab/plan" || fail "$(cat "$lab/plan")"
head -c 1000 /dev/urandom >"$lab/store/$server/sets/20240101T000000Z-00000000/data/000001.gpg"
sleep 1.1
care prune --keep-last 1 --grace 1s --apply -q >"$lab/plan"
grep -qE '20240101T000000Z-00000000 .* mark$' "$lab/plan" || fail "one that grows is removed: $(cat "$lab/plan")"
sleep 1.1
care prune --keep-last 1 --grace 1s --apply -q >/dev/null
[ -z "$(find "$lab/store/$server" -path '*20240101*' -type f)" ] || fail "it is still there"
say "a dispatcher that is away does not hold up a prune, and is told later"
old=$(listed | head -n 1)
new=$(agent agent backup -q)
care verify -q >/dev/null
lab_stop "$pid_dispatcher"
care prune --keep-last 1 --grace 0s --apply >"$lab/plan" 2>"$lab/warning"
[ ! -e "$lab/store/$server/sets/$old" ] || fail "it was not removed"
grep -q "backup forget --server $server --set $old" "$lab/warning" || fail "no warning: $(cat "$lab/warning")"
lab_dispatcher
listed | grep -q "$old" || fail "it is not listed without having been told"
[ "$(as alice backup forget --server "$server" --set "$old" --set "$new-not" --json 2>&1 | jq -r .error.kind)" = protocol ] || fail "no set id, and taken"
[ "$(as alice backup forget --server "$server" --set "$old" --json | jq .forgotten)" = 1 ] || fail "not forgotten"
[ "$(listed)" = "$new" ] || fail "the dispatcher lists: $(listed)"
say "all well"
