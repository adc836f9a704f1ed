#!/usr/bin/env bash
# The main job on S3 with TLS, versions and the printed put-only policy: the agent's keys can put and nothing else; the
# owner restores, also what was overwritten; no key shows in a process, a log or a file of the store.
source "$(dirname "$0")/lab.sh"

say "an S3 server, a bucket with Object Lock, two users"
lab_s3 owner host
bucket() { # METHOD QUERY [BODY-FILE] [HEADER] : a request of the owner
    lab_s3_curl owner "${3:-/dev/null}" --fail-with-body -X "$1" ${4:+-H "$4"} "$endpoint/backups$2"
}
bucket PUT '' '' 'x-amz-bucket-object-lock-enabled: true'
store=s3://backups/mysql

lab_mariadb source
sql source 'CREATE DATABASE shop; USE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(200)) ENGINE=InnoDB;
    INSERT INTO shop.orders (item) SELECT CONCAT("item ", seq, REPEAT("x", 100)) FROM seq_1_to_20000'
before=$(sql source 'CHECKSUM TABLE shop.orders')
lab_site
lab_agent_config agent source
sed -i "s|^store = .*|store = \"$store\"|" "$lab/agent/agent.toml"
cat >>"$lab/agent/agent.toml" <<C
s3-endpoint = "$endpoint"
s3-ca-file = "$lab/s3/ca.pem"
s3-credentials-file = "$lab/host.s3"
C
lab_register_agent agent alice
owner() { as alice --s3-endpoint "$endpoint" --s3-ca-file "$lab/s3/ca.pem" --s3-credentials-file "$lab/owner.s3" "$@"; }

say "without a policy the host's keys may nothing; with the printed one they may put"
expect_failure 9 'AccessDenied' agent agent backup
owner -q store policy --store "$store" --server "$server" --agent host --owner owner >"$lab/policy.json"
bucket PUT '?policy=' "$lab/policy.json"
owner store check --store "$store" >"$lab/check.txt"
grep -qE '^versioning +ok' "$lab/check.txt" || fail "store check: $(cat "$lab/check.txt")"
grep -qE '^object lock +MISSING' "$lab/check.txt" || fail "store check: $(cat "$lab/check.txt")"
agent agent check >"$lab/agent-check.txt" || true
grep -qE 'store.*can be written, and not read' "$lab/agent-check.txt" || fail "agent check: $(cat "$lab/agent-check.txt")"
agent agent escrow
agent agent backup --json >"$lab/backup.json"
set=$(jq -r .set "$lab/backup.json")
as_host() { as alice --s3-endpoint "$endpoint" --s3-ca-file "$lab/s3/ca.pem" --s3-credentials-file "$lab/host.s3" "$@"; }
expect_failure 9 'AccessDenied' as_host backup list --server "$server" --store "$store" --identity "$identity"

say "everything is restored from the bucket alone"
lab_stop "$pid_dispatcher"
owner recover --server "$server" --store "$store" --identity "$identity" --into "$lab/r1"
owner restore --server "$server" --store "$store" --home "$lab/r1" --datadir "$lab/data1" --prepare
lab_mariadb restored "$lab/data1"
[ "$(sql restored 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the restored table differs"
lab_stop "$pid_restored"

say "the host is taken over: its keys write over the set; the owner goes back in time"
then=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1.5
echo destroyed >"$lab/junk"
lab_s3_curl host "$lab/junk" -f -X PUT "$endpoint/backups/mysql/$server/sets/$set/manifest.json"
expect_failure 11 '' owner restore --server "$server" --set "$set" --store "$store" --home "$lab/r1" --datadir "$lab/data2"
[ ! -e "$lab/data2" ] || fail "a refused restore left something"
owner restore --server "$server" --set "$set" --store "$store" --as-of "$then" --home "$lab/r1" --datadir "$lab/data2" --prepare
lab_mariadb again "$lab/data2"
[ "$(sql again 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the restored table differs"

say "a stranger, with rclone and RECOVERY.txt, at that time"
mkdir "$lab/nobody"
env -i PATH=/usr/bin:/bin HOME="$lab/nobody" RCLONE_CONFIG_S_TYPE=s3 RCLONE_CONFIG_S_PROVIDER=Ceph \
    RCLONE_CONFIG_S_ENDPOINT="$endpoint" RCLONE_CONFIG_S_ENV_AUTH=true AWS_SHARED_CREDENTIALS_FILE="$lab/owner.s3" \
    RCLONE_CA_CERT="$lab/s3/ca.pem" RCLONE_S3_VERSION_AT="$then" rclone copy "s:backups/mysql/$server" "$lab/copy/$server" 2>"$lab/rclone.log"
sed -n '/^----8<---- commands$/,/^----8<---- end$/p' "$lab/copy/$server/RECOVERY.txt" | sed '1d;$d' >"$lab/recover.sh"
env -i PATH=/usr/bin:/bin HOME="$lab/nobody" STORE="$lab/copy" RECOVERY_HOME="$lab/alice" INTO="$lab/restored3" SET="$set" \
    bash "$lab/recover.sh" >"$lab/stranger.log" 2>&1 || fail "the stranger failed: $(tail -5 "$lab/stranger.log")"
lab_stop "$pid_again"
lab_mariadb third "$lab/restored3"
[ "$(sql third 'CHECKSUM TABLE shop.orders')" = "$before" ] || fail "the stranger's table differs"

say "no key in logs, configuration or state"
! grep -rlE 'secret-(host|owner)' "$lab"/*.log "$lab"/*.txt "$lab"/*.json "$lab/agent" || fail "a secret key shows"
say "same checksum before and after: $before"
