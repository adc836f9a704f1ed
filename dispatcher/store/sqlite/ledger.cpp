// What is kept and never changed: backups, escrow records, replies, the audit log.
#include "common/base/encoding.hpp"
#include "dispatcher/audit/chain.hpp"
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

bool SqliteTransaction::put_backup(const Backup& backup) {
    if (knows_backup(backup.server, backup.set)) return false;
    insert(session_, "backups", backup);
    return true;
}

bool SqliteTransaction::knows_backup(const std::string& server, const std::string& set) {
    return select_one<Backup>(session_, "backups WHERE server = :s AND set_id = :i", server, set).has_value();
}

std::vector<Backup> SqliteTransaction::list_backups(const std::string& server, std::int64_t limit) {
    return select<Backup>(session_, "backups WHERE server = :s AND removed = 0 ORDER BY set_id DESC LIMIT :l",
                          server, limit);
}

bool SqliteTransaction::put_restore_proof(const RestoreProof& proof) {
    const std::int64_t success = proof.proven ? proof.time : 0;
    const std::int64_t failure = proof.proven ? 0 : proof.time;
    return execute(session_,
                   "UPDATE backups SET proven = :p, proof_failed = :f, proof_text = :x, proof_by = :b "
                   "WHERE server = :s AND set_id = :i AND removed = 0 AND MAX(proven, proof_failed) < :t",
                   success, failure, proof.text, proof.by, proof.server, proof.set, proof.time) == 1;
}

std::optional<Backup> SqliteTransaction::last_proven_backup(const std::string& server) {
    return select_one<Backup>(
        session_,
        "backups WHERE server = :s AND removed = 0 AND proven > 0 ORDER BY proven DESC, "
        "set_id DESC LIMIT 1",
        server);
}

std::optional<Backup> SqliteTransaction::last_unproven_backup(const std::string& server) {
    return select_one<Backup>(session_,
                              "backups WHERE server = :s AND removed = 0 AND proof_failed > 0 ORDER BY "
                              "proof_failed DESC, set_id DESC LIMIT 1",
                              server);
}

bool SqliteTransaction::remove_backup(const std::string& server, const std::string& set, std::int64_t now) {
    return execute(session_,
                   "UPDATE backups SET removed = :n WHERE server = :s AND set_id = :i AND removed = 0", now,
                   server, set) == 1;
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

void SqliteTransaction::add_challenge(const EscrowChallenge& part) {
    insert_new("escrow_challenges", part, "challenge " + part.id + " exists already");
}

std::vector<EscrowChallenge> SqliteTransaction::find_challenges(const std::string& id) {
    return select<EscrowChallenge>(session_, "escrow_challenges WHERE id = :i ORDER BY subkey", id);
}

bool SqliteTransaction::use_challenge(const std::string& id, std::int64_t now) {
    if (count(session_, "SELECT COUNT(*) FROM escrow_challenges WHERE used <> 0 AND id = :i", id) != 0)
        return false;
    return execute(session_, "UPDATE escrow_challenges SET used = :n WHERE id = :i AND used = 0", now, id) >
           0;
}

void SqliteTransaction::forget_challenges(std::int64_t expired_before) {
    execute(session_, "DELETE FROM escrow_challenges WHERE expires < :b", expired_before);
}

void SqliteTransaction::put_proof(const Proof& proof) {
    execute(session_, "DELETE FROM proofs WHERE server = :s AND subkey = :k", proof.server, proof.subkey);
    insert(session_, "proofs", proof);
}

std::optional<Proof> SqliteTransaction::find_proof(const std::string& server, const std::string& subkey) {
    return select_one<Proof>(session_, "proofs WHERE server = :s AND subkey = :k", server, subkey);
}

std::optional<SeenMessage> SqliteTransaction::find_reply(const std::string& sender,
                                                         const std::string& message) {
    return select_one<SeenMessage>(session_, "seen_messages WHERE sender = :s AND message = :m", sender,
                                   message);
}

void SqliteTransaction::add_reply(const std::string& sender, const std::string& message, std::int64_t now,
                                  const SeenMessage& seen) {
    execute(
        session_,
        "INSERT INTO seen_messages (sender, message, received, digest, reply) VALUES (:s, :m, :n, :d, :r)",
        sender, message, now, seen.digest, seen.reply);
}

void SqliteTransaction::forget_replies(std::int64_t before) {
    execute(session_, "DELETE FROM seen_messages WHERE received < :b", before);
}

void SqliteTransaction::append_audit(const AuditEntry& entry) {
    const AuditHead head = audit_head();
    AuditEntry chained = entry;
    chained.seq = head.seq + 1;
    chained.hash = audit_digest(head.hash, chained);
    insert_new("audit", chained, "audit entry " + entry.id + " exists already");
}

std::vector<AuditEntry> SqliteTransaction::list_audit(const std::string& owner, std::int64_t limit) {
    return select<AuditEntry>(session_, "audit WHERE owner = :o ORDER BY seq DESC LIMIT :l", owner, limit);
}

std::vector<AuditEntry> SqliteTransaction::audit_after(std::int64_t seq, std::int64_t limit) {
    return select<AuditEntry>(session_, "audit WHERE seq > :s ORDER BY seq LIMIT :l", seq, limit);
}

AuditHead SqliteTransaction::audit_head() {
    return select_one<AuditHead>(session_, "audit ORDER BY seq DESC LIMIT 1")
        .value_or(AuditHead{0, std::string(audit_genesis)});
}

void SqliteTransaction::put_service_value(const std::string& name, const std::string& value) {
    execute(session_,
            "INSERT INTO service (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = "
            "excluded.value",
            name, value);
}

std::string SqliteTransaction::service_value(const std::string& name) {
    std::string value;
    session_ << "SELECT value FROM service WHERE name = :n", soci::use(name), soci::into(value);
    return session_.got_data() ? value : std::string();
}

}  // namespace strongroom::dispatcher
