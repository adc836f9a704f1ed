// What an operator watches: counts, signs of life, expiry of keys, alerts and their notifications.
#include "dispatcher/store/sqlite/sqlite_transaction.hpp"

namespace strongroom::dispatcher {

Counts SqliteTransaction::counts() {
    Counts out;
    out.users = count(session_, "SELECT COUNT(*) FROM users");
    out.servers = count(session_, "SELECT COUNT(*) FROM servers WHERE retired = 0");
    out.queued = count(session_, "SELECT COUNT(*) FROM jobs WHERE state = 'queued'");
    out.running = count(session_, "SELECT COUNT(*) FROM jobs WHERE state IN ('leased', 'running')");
    out.failed = count(session_, "SELECT COUNT(*) FROM jobs WHERE state IN ('failed', 'expired')");
    out.oldest_queued = count(session_, "SELECT COALESCE(MIN(created), 0) FROM jobs WHERE state = 'queued'");
    out.audit_entries = count(session_, "SELECT COALESCE(MAX(seq), 0) FROM audit");
    const auto sum = [&](const char* column) {
        return count(session_, "SELECT COALESCE(SUM(" + std::string(column) +
                                   "), 0) FROM jobs WHERE state IN ('leased', 'running')");
    };
    out.progress.plain_bytes = sum("plain_bytes");
    out.progress.stored_bytes = sum("stored_bytes");
    out.progress.total_bytes = sum("total_bytes");
    out.progress.rate = sum("rate");
    out.progress.retries = sum("retries");
    return out;
}

std::map<std::string, std::int64_t> SqliteTransaction::jobs_by_state() {
    std::map<std::string, std::int64_t> out;
    std::string state;
    std::int64_t number = 0;
    soci::statement rows = (session_.prepare << "SELECT state, COUNT(*) FROM jobs GROUP BY state",
                            soci::into(state), soci::into(number));
    rows.execute();
    while (rows.fetch()) out[state] = number;
    return out;
}

std::optional<Job> SqliteTransaction::oldest_queued_job() {
    return select_one<Job>(session_, "jobs WHERE state = 'queued' ORDER BY created, id LIMIT 1");
}

void SqliteTransaction::touch_presence(const std::vector<std::string>& servers, std::int64_t now) {
    for (const auto& server : servers)
        execute(session_,
                "INSERT INTO presence (server, seen) VALUES (:s, :n) "
                "ON CONFLICT (server) DO UPDATE SET seen = MAX(seen, excluded.seen)",
                server, now);
}

void SqliteTransaction::put_key_expiry(const KeyExpiry& key) {
    execute(session_,
            "INSERT INTO key_expiry (fingerprint, expires) VALUES (:f, :e) "
            "ON CONFLICT (fingerprint) DO UPDATE SET expires = excluded.expires",
            key.fingerprint, key.expires);
}

std::vector<KeyExpiry> SqliteTransaction::key_expiries() {
    return select<KeyExpiry>(session_, "key_expiry ORDER BY fingerprint");
}

std::vector<ServerFacts> SqliteTransaction::server_facts() {
    return select<ServerFacts>(session_, "server_facts");
}

std::vector<Job> SqliteTransaction::failed_jobs() {
    return select<Job>(session_,
                       "jobs j WHERE kind <> 'backup' AND grp = '' AND state IN ('failed', 'expired') "
                       "AND EXISTS (SELECT 1 FROM servers s WHERE s.uuid = j.server AND s.retired = 0) "
                       "AND NOT EXISTS (SELECT 1 FROM jobs n WHERE n.server = j.server AND n.kind = j.kind "
                       "AND n.kind <> 'backup' AND n.state IN ('succeeded', 'failed', 'expired') "
                       "AND (n.finished > j.finished OR (n.finished = j.finished AND n.id > j.id))) "
                       "ORDER BY server, kind");
}

void SqliteTransaction::put_alert(const Alert& alert) {
    execute(session_, "DELETE FROM alerts WHERE id = :i", alert.id);
    insert_new("alerts", alert, "alert " + alert.key + " is open already");
}

std::vector<Alert> SqliteTransaction::open_alerts() {
    return select<Alert>(session_, "alerts WHERE resolved = 0 ORDER BY raised, key");
}

std::vector<Alert> SqliteTransaction::list_alerts(std::int64_t limit) {
    return select<Alert>(session_, "alerts ORDER BY raised DESC, key LIMIT :l", limit);
}

void SqliteTransaction::put_delivery(const AlertDelivery& delivery) {
    execute(session_, "DELETE FROM alert_deliveries WHERE id = :i", delivery.id);
    insert(session_, "alert_deliveries", delivery);
}

std::vector<AlertDelivery> SqliteTransaction::due_deliveries(const std::string& channel, std::int64_t now,
                                                             std::int64_t limit) {
    return select<AlertDelivery>(session_,
                                 "alert_deliveries WHERE outcome = '' AND channel = :c AND next_try <= :n "
                                 "ORDER BY created, id LIMIT :l",
                                 channel, now, limit);
}

std::int64_t SqliteTransaction::pending_deliveries() {
    return count(session_, "SELECT COUNT(*) FROM alert_deliveries WHERE outcome = ''");
}

void SqliteTransaction::forget_deliveries(std::int64_t before) {
    execute(session_, "DELETE FROM alert_deliveries WHERE outcome <> '' AND created < :b", before);
}

}  // namespace strongroom::dispatcher
