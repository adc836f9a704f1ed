// What is kept and never changed: backups, escrow records, replies, the audit log.
#include "common/base/encoding.hpp"
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

void SqliteTransaction::put_backup(const Backup& backup) {
    if (select_one<Backup>(session_, "backups WHERE server = :s AND set_id = :i", backup.server, backup.set))
        return;
    insert(session_, "backups", backup);
}

std::vector<Backup> SqliteTransaction::list_backups(const std::string& server, std::int64_t limit) {
    return select<Backup>(session_, "backups WHERE server = :s ORDER BY set_id DESC LIMIT :l", server, limit);
}

void SqliteTransaction::append_escrow(const EscrowRecord& record) {
    insert_new("escrow", record, "escrow record " + record.id + " exists already");
}

std::vector<EscrowRecord> SqliteTransaction::list_escrow(const std::string& server) {
    return select<EscrowRecord>(session_, "escrow WHERE server = :s ORDER BY deposited DESC, rowid DESC",
                                server);
}

std::optional<EscrowRecord> SqliteTransaction::find_escrow(const std::string& server,
                                                           const std::string& subkey,
                                                           const std::string& sha256) {
    return select_one<EscrowRecord>(session_, "escrow WHERE server = :s AND subkey = :k AND sha256 = :h",
                                    server, subkey, sha256);
}

std::optional<SeenMessage> SqliteTransaction::find_reply(const std::string& sender,
                                                         const std::string& message) {
    SeenMessage seen;
    session_ << "SELECT digest, reply FROM seen_messages WHERE sender = :s AND message = :m",
        soci::use(sender), soci::use(message), soci::into(seen.digest), soci::into(seen.reply);
    if (!session_.got_data()) return std::nullopt;
    seen.reply = from_base64(seen.reply);
    return seen;
}

void SqliteTransaction::add_reply(const std::string& sender, const std::string& message, std::int64_t now,
                                  const SeenMessage& seen) {
    const std::string text = to_base64(seen.reply);
    execute(
        session_,
        "INSERT INTO seen_messages (sender, message, received, digest, reply) VALUES (:s, :m, :n, :d, :r)",
        sender, message, now, seen.digest, text);
}

void SqliteTransaction::forget_replies(std::int64_t before) {
    execute(session_, "DELETE FROM seen_messages WHERE received < :b", before);
}

void SqliteTransaction::append_audit(const AuditEntry& entry) {
    AuditEntry numbered = entry;
    numbered.seq = count(session_, "SELECT COALESCE(MAX(seq), 0) + 1 FROM audit");
    insert_new("audit", numbered, "audit entry " + entry.id + " exists already");
}

std::vector<AuditEntry> SqliteTransaction::list_audit(const std::string& owner, std::int64_t limit) {
    return select<AuditEntry>(session_, "audit WHERE owner = :o ORDER BY time DESC, rowid DESC LIMIT :l",
                              owner, limit);
}

Counts SqliteTransaction::counts() {
    Counts out;
    out.users = count(session_, "SELECT COUNT(*) FROM users");
    out.servers = count(session_, "SELECT COUNT(*) FROM servers WHERE retired = 0");
    out.queued = count(session_, "SELECT COUNT(*) FROM jobs WHERE state = 'queued'");
    out.running = count(session_, "SELECT COUNT(*) FROM jobs WHERE state IN ('leased', 'running')");
    out.failed = count(session_, "SELECT COUNT(*) FROM jobs WHERE state IN ('failed', 'expired')");
    return out;
}

}  // namespace strongroom::dispatcher
