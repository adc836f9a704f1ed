// RECOVERY.txt: what a stranger with the recovery key needs to get the data back without this project.
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::string_view text = R"RECOVERY(HOW TO GET THIS DATABASE BACK WITHOUT STRONGROOM

This folder holds encrypted backups of the database server
    @SERVER@
whose backups are signed by the OpenPGP key with the fingerprint
    @IDENTITY@

You need
  - the recovery key: the OpenPGP secret key of this server's owner, in a GnuPG home or on a smartcard;
  - bash, gpg 2.2 or newer, zstd, sha256sum; for a physical backup also mbstream and mariadb-backup (Debian:
    apt install gnupg zstd mariadb-backup), of the version that made the backup or newer;
  - this folder on a local disk. If it lies on a remote store, copy it with everything in it first:
        S3     aws s3 sync s3://BUCKET/PREFIX/@SERVER@ @SERVER@
               (or: rclone copy REMOTE:BUCKET/PREFIX/@SERVER@ @SERVER@)
        SFTP   sftp -r USER@HOST:/FOLDER/@SERVER@ .
    If objects in an S3 bucket were overwritten or hidden, and the bucket keeps versions, copy it as it was
    before: rclone copy --s3-version-at 2026-11-22T01:37:00Z ...

Compare the fingerprint above with the one that you noted when the server was registered. This text lies in
the store; whoever can write to the store could have changed it. If the two differ, set IDENTITY below to the
one that you noted.

Set the variables in step 1, save the commands between the two marker lines as recover.sh, and run
    bash recover.sh
Or type them one after the other. They stop at the first thing that is wrong and then leave no result under
the final name. They change nothing in the store and nothing in your GnuPG home.

----8<---- commands
set -euo pipefail
umask 077
export LC_ALL=C

# 1. What to restore, and where to.
: "${STORE:=$PWD}"                      # the folder that holds the folder of the server
: "${SERVER:=@SERVER@}"
: "${IDENTITY:=@IDENTITY@}"
: "${SET:=}"                            # a folder name under sets/; empty: the newest complete one
: "${RECOVERY_HOME:=$HOME/.gnupg}"      # the GnuPG home that holds (or reaches) the recovery key
: "${INTO:=$HOME/strongroom-restore}"   # is made; must not exist

fail() { echo "RECOVERY FAILED: $*" >&2; exit 1; }
ROOT=$STORE/$SERVER
[ -d "$ROOT/sets" ] || fail "there is no folder $ROOT/sets: set STORE"
[ ! -e "$INTO" ] || fail "$INTO exists: set INTO to a new folder"
for tool in gpg zstd sha256sum; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done

# A private folder for keys. It is removed at the end, whatever happens.
KEYS=$(mktemp -d /tmp/srXXXXXX)
trap 'gpgconf --homedir "$KEYS" --kill all; rm -rf "$KEYS"' EXIT

# 2. The newest set that is complete: its signature was written last.
if [ -z "$SET" ]; then
    for signature in "$ROOT"/sets/*/manifest.json.sig; do
        [ -f "$signature" ] || fail "there is no complete backup in $ROOT/sets"
        SET=$(basename "$(dirname "$signature")")
    done
fi
cd "$ROOT/sets/$SET" || fail "there is no set $SET"
echo "Restoring set $SET of server $SERVER"

# 3. The manifest is signed by the server's identity key, and belongs to this server and set.
gpg --homedir "$KEYS" --batch --quiet --import "$ROOT/agent.asc"
gpg --homedir "$KEYS" --batch --quiet --trust-model always --status-fd 3 \
    --verify manifest.json.sig manifest.json 3> "$KEYS/status" 2> "$KEYS/messages" ||
    { cat "$KEYS/messages" >&2; fail "the manifest's signature is not valid"; }
[ "$(grep -c '^\[GNUPG:\] GOODSIG ' "$KEYS/status")" = 1 ] || fail "the manifest's signature is not good"
grep -q "^\[GNUPG:\] VALIDSIG .* $IDENTITY\$" "$KEYS/status" || fail "the manifest is signed by another key"
value() { sed -n "s/^\"$1\": \"\(.*\)\",\$/\1/p" manifest.json; }
[ "$(value format)" = strongroom-backup-set ] || fail "the manifest has an unknown format"
grep -qx '"version": 1' manifest.json || fail "the manifest has an unknown version"
[ "$(value server)" = "$SERVER" ] || fail "the manifest is of another server"
[ "$(value set)" = "$SET" ] || fail "the manifest is of another set"
[ "$(value kind)" = full ] || fail "this is an incremental set, restore the full set $(value parent) first"

# 4. Every segment is there and has the signed digest.
sed -n 's/^{"index":\([0-9]*\),"plain_size":[0-9]*,"sha256":"\([0-9a-f]*\)","stored_size":[0-9]*},\{0,1\}$/\1 \2/p' \
    manifest.json |
    while read -r index digest; do printf '%s  data/%06d.gpg\n' "$digest" "$index"; done > "$KEYS/digests"
[ "$(wc -l < "$KEYS/digests")" = "$(grep -c '^{"index":' manifest.json)" ] || fail "the manifest cannot be read"
sha256sum --quiet --strict --check "$KEYS/digests" || fail "a segment is damaged: use another set or copy"

# 5. The server's decryption keys, which were encrypted to the recovery key. gpg may ask for its passphrase.
for record in "$ROOT"/escrow/*.gpg; do
    [ -f "$record" ] || fail "there is no escrow record in $ROOT/escrow"
    gpg --homedir "$RECOVERY_HOME" --keyring "$KEYS/pubring.kbx" --trust-model always --quiet --status-fd 3 \
        --decrypt "$record" 3> "$KEYS/status" > "$KEYS/secret" ||
        { echo "skipped: $record does not open with this recovery key" >&2; continue; }
    grep -q "^\[GNUPG:\] VALIDSIG .* $IDENTITY\$" "$KEYS/status" ||
        { echo "skipped: $record is not signed by the server" >&2; continue; }
    gpg --homedir "$KEYS" --batch --quiet --import "$KEYS/secret"
done
rm -f "$KEYS/secret"

# 6. The set's data passphrase.
PASSPHRASE=$(gpg --homedir "$KEYS" --batch --quiet --decrypt envelope.gpg) ||
    fail "envelope.gpg does not open: none of the escrow records fits this set"

# 7. Decrypt the segments in order, decompress, unpack.
segments() {
    while read -r _ segment; do
        gpg --homedir "$KEYS" --batch --quiet --pinentry-mode loopback --passphrase-fd 4 \
            --decrypt "$segment" 4< <(printf '%s\n' "$PASSPHRASE") < /dev/null ||
            fail "$segment does not decrypt"
    done < "$KEYS/digests"
}
case $(value compression) in
    zstd) decompress() { zstd -d -q -c; } ;;
    none) decompress() { cat; } ;;
    *) fail "unknown compression" ;;
esac
case $(value source_tool) in
    xtrabackup) unpack=xbstream; prepare=xtrabackup ;;
    *) unpack=mbstream; prepare=mariadb-backup ;;
esac
mkdir -p "$(dirname "$INTO")"
mkdir "$INTO.partial"
case $(value stream) in
    xbstream)
        segments | decompress | "$unpack" -x -C "$INTO.partial"
        # 8. Bring the files to one consistent moment.
        "$prepare" --prepare --target-dir="$INTO.partial" ;;
    sql) segments | decompress > "$INTO.partial/dump.sql" ;;
    raw) segments | decompress > "$INTO.partial/stream" ;;
    *) fail "unknown stream" ;;
esac
mv "$INTO.partial" "$INTO"
echo "Done: $INTO"
----8<---- end

What is in INTO afterwards
  - A physical backup: a data directory. With the database server stopped and its own data directory empty:
        mariadb-backup --copy-back --target-dir="$INTO"
        chown -R mysql: /var/lib/mysql
        systemctl start mariadb
    (for Percona XtraBackup write xtrabackup in place of mariadb-backup).
  - A dump: dump.sql. Load it into a running, empty server:
        mariadb < "$INTO/dump.sql"
  - Any other stream: the file "stream", as its producer wrote it.

If step 4 or 7 fails, delete INTO.partial, and use an older set (SET=...) or another copy of the store. If
step 3 fails, do not use the set: its manifest was not made by the server.

What the files are
  agent.asc                    the server's public key
  escrow/FINGERPRINT.gpg       its secret decryption key, encrypted to the recovery key, signed by the server
  sets/SET/envelope.gpg        the data passphrase of one backup, encrypted to the decryption key
  sets/SET/data/NNNNNN.gpg     the backup: slices of one stream, each compressed by zstd, each one OpenPGP
                               message encrypted with the data passphrase
  sets/SET/manifest.json       what belongs to the backup, with the SHA-256 of every slice
  sets/SET/manifest.json.sig   the server's signature of the manifest; a set without it is not complete
)RECOVERY";

void replace_all(std::string& in, std::string_view from, const std::string& to) {
    for (std::size_t at = 0; (at = in.find(from, at)) != std::string::npos; at += to.size())
        in.replace(at, from.size(), to);
}

}  // namespace

std::string recovery_text(const std::string& server, const std::string& identity) {
    if (!is_uuid(server) || !is_fingerprint(identity))
        throw Error(ErrorKind::internal, "the recovery text needs a server id and a full fingerprint");
    std::string out(text);
    replace_all(out, "@SERVER@", server);
    replace_all(out, "@IDENTITY@", identity);
    return out;
}

}  // namespace strongroom::backupset
