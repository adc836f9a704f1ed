#include "dispatcher/store/sqlite/schema.hpp"

#include "dispatcher/audit/chain.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {
namespace {

// No column is ever NULL: empty text and 0 say "none". Times are UTC milliseconds.
constexpr std::string_view first_schema[] = {
    R"(CREATE TABLE users (
        fingerprint TEXT NOT NULL PRIMARY KEY,
        name        TEXT NOT NULL UNIQUE,
        public_key  TEXT NOT NULL,
        token_hash  TEXT NOT NULL UNIQUE,
        created     BIGINT NOT NULL) WITHOUT ROWID)",

    R"(CREATE TABLE servers (
        uuid        TEXT NOT NULL PRIMARY KEY,
        owner       TEXT NOT NULL REFERENCES users (fingerprint),
        identity    TEXT NOT NULL UNIQUE,
        subkey      TEXT NOT NULL,
        public_key  TEXT NOT NULL,
        token_hash  TEXT NOT NULL UNIQUE,
        label       TEXT NOT NULL,
        recovery    TEXT NOT NULL,
        registered  BIGINT NOT NULL,
        last_seen   BIGINT NOT NULL,
        retired     BIGINT NOT NULL,
        version     TEXT NOT NULL,
        source      TEXT NOT NULL,
        store       TEXT NOT NULL) WITHOUT ROWID)",
    "CREATE INDEX servers_by_owner ON servers (owner)",

    R"(CREATE TABLE registration_codes (
        hash    TEXT NOT NULL PRIMARY KEY,
        owner   TEXT NOT NULL REFERENCES users (fingerprint),
        label   TEXT NOT NULL,
        created BIGINT NOT NULL,
        expires BIGINT NOT NULL,
        used    BIGINT NOT NULL,
        used_by TEXT NOT NULL) WITHOUT ROWID)",

    R"(CREATE TABLE schedules (
        id        TEXT NOT NULL PRIMARY KEY,
        server    TEXT NOT NULL REFERENCES servers (uuid),
        kind      TEXT NOT NULL,
        cron      TEXT NOT NULL,
        splay     BIGINT NOT NULL,
        enabled   BIGINT NOT NULL,
        created   BIGINT NOT NULL,
        next_slot BIGINT NOT NULL,
        UNIQUE (server, kind)) WITHOUT ROWID)",
    "CREATE INDEX schedules_by_slot ON schedules (enabled, next_slot)",

    // slot_key is "<schedule>@<slot>", or the job's own id without a schedule: one job per due slot.
    R"(CREATE TABLE jobs (
        id           TEXT NOT NULL PRIMARY KEY,
        server       TEXT NOT NULL REFERENCES servers (uuid),
        kind         TEXT NOT NULL,
        schedule     TEXT NOT NULL,
        slot         BIGINT NOT NULL,
        state        TEXT NOT NULL,
        attempts     BIGINT NOT NULL,
        created_by   TEXT NOT NULL,
        created      BIGINT NOT NULL,
        started      BIGINT NOT NULL,
        lease_until  BIGINT NOT NULL,
        finished     BIGINT NOT NULL,
        stage        TEXT NOT NULL,
        plain_bytes  BIGINT NOT NULL,
        stored_bytes BIGINT NOT NULL,
        total_bytes  BIGINT NOT NULL,
        set_id       TEXT NOT NULL,
        error_kind   TEXT NOT NULL,
        error_stage  TEXT NOT NULL,
        error_text   TEXT NOT NULL,
        error_hint   TEXT NOT NULL,
        slot_key     TEXT NOT NULL UNIQUE) WITHOUT ROWID)",
    "CREATE INDEX jobs_by_server ON jobs (server, state, created)",
    "CREATE INDEX jobs_by_lease ON jobs (state, lease_until)",
    "CREATE INDEX jobs_by_schedule ON jobs (schedule, state)",

    R"(CREATE TABLE backups (
        set_id       TEXT NOT NULL,
        server       TEXT NOT NULL REFERENCES servers (uuid),
        kind         TEXT NOT NULL,
        job          TEXT NOT NULL,
        created      BIGINT NOT NULL,
        finished     BIGINT NOT NULL,
        plain_bytes  BIGINT NOT NULL,
        stored_bytes BIGINT NOT NULL,
        segments     BIGINT NOT NULL,
        source       TEXT NOT NULL,
        server_version TEXT NOT NULL,
        store        TEXT NOT NULL,
        schedule     TEXT NOT NULL,
        slot         BIGINT NOT NULL,
        reported     BIGINT NOT NULL,
        PRIMARY KEY (server, set_id)) WITHOUT ROWID)",

    R"(CREATE TABLE escrow (
        id         TEXT NOT NULL PRIMARY KEY,
        server     TEXT NOT NULL REFERENCES servers (uuid),
        subkey     TEXT NOT NULL,
        recipients TEXT NOT NULL,
        sha256     TEXT NOT NULL,
        record     TEXT NOT NULL,
        deposited  BIGINT NOT NULL))",
    "CREATE INDEX escrow_by_server ON escrow (server, subkey, deposited)",
    "CREATE TRIGGER escrow_keep_update BEFORE UPDATE ON escrow "
    "BEGIN SELECT RAISE(ABORT, 'escrow records are append-only'); END",
    "CREATE TRIGGER escrow_keep_delete BEFORE DELETE ON escrow "
    "BEGIN SELECT RAISE(ABORT, 'escrow records are append-only'); END",

    R"(CREATE TABLE seen_messages (
        sender   TEXT NOT NULL,
        message  TEXT NOT NULL,
        received BIGINT NOT NULL,
        digest   TEXT NOT NULL,
        reply    TEXT NOT NULL,
        PRIMARY KEY (sender, message)))",
    "CREATE INDEX seen_messages_by_time ON seen_messages (received)",

    R"(CREATE TABLE audit (
        seq     BIGINT NOT NULL PRIMARY KEY,
        id      TEXT NOT NULL UNIQUE,
        time    BIGINT NOT NULL,
        owner   TEXT NOT NULL,
        actor   TEXT NOT NULL,
        action  TEXT NOT NULL,
        object  TEXT NOT NULL,
        outcome TEXT NOT NULL,
        text    TEXT NOT NULL))",
    "CREATE INDEX audit_by_owner ON audit (owner, seq)",
    "CREATE TRIGGER audit_keep_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_keep_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
};

void step_1(Session& session) {
    for (const auto statement : first_schema) session << std::string(statement);
}

// The audit trail becomes a chain: each entry's digest covers the one before. A row goes in only at its end,
// so that INSERT OR REPLACE cannot pass the triggers by.
constexpr std::string_view chained_audit[] = {
    R"(CREATE TABLE audit_chained (
        seq     BIGINT NOT NULL PRIMARY KEY,
        id      TEXT NOT NULL UNIQUE,
        time    BIGINT NOT NULL,
        owner   TEXT NOT NULL,
        actor   TEXT NOT NULL,
        action  TEXT NOT NULL,
        object  TEXT NOT NULL,
        outcome TEXT NOT NULL,
        text    TEXT NOT NULL,
        hash    TEXT NOT NULL) WITHOUT ROWID)",
};
constexpr std::string_view chained_audit_in_place[] = {
    "DROP TABLE audit",
    "ALTER TABLE audit_chained RENAME TO audit",
    "CREATE INDEX audit_by_owner ON audit (owner, seq)",
    "CREATE INDEX audit_by_time ON audit (time)",
    "CREATE TRIGGER audit_keep_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_keep_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_keep_end BEFORE INSERT ON audit "
    "WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit) "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail grows at its end only'); END",

    // What the dispatcher notes about itself: when it started, when it last could write.
    "CREATE TABLE service (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
};

void step_2(Session& session) {
    for (const auto statement : chained_audit) session << std::string(statement);
    std::string hash(audit_genesis);
    constexpr std::int64_t batch = 1000;
    // The columns of that version, whatever a later one adds.
    const std::string columns = "seq, id, time, owner, actor, action, object, outcome, text";
    for (std::int64_t after = 0;;) {
        AuditEntry entry;
        std::vector<AuditEntry> entries;
        soci::statement rows =
            (session.prepare << "SELECT " + columns + " FROM audit WHERE seq > :a ORDER BY seq LIMIT :l",
             soci::use(after), soci::use(batch), soci::into(entry.seq), soci::into(entry.id),
             soci::into(entry.time), soci::into(entry.owner), soci::into(entry.actor),
             soci::into(entry.action), soci::into(entry.object), soci::into(entry.outcome),
             soci::into(entry.text));
        rows.execute();
        while (rows.fetch()) entries.push_back(entry);
        if (entries.empty()) break;
        for (auto& old : entries) {
            old.hash = audit_digest(hash, old);
            execute(session,
                    "INSERT INTO audit_chained (" + columns +
                        ", hash) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j)",
                    old.seq, old.id, old.time, old.owner, old.actor, old.action, old.object, old.outcome,
                    old.text, old.hash);
            hash = old.hash;
            after = old.seq;
        }
    }
    for (const auto statement : chained_audit_in_place) session << std::string(statement);
}

constexpr std::string_view watching[] = {
    "CREATE TABLE presence (server TEXT NOT NULL PRIMARY KEY, seen BIGINT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE key_expiry (fingerprint TEXT NOT NULL PRIMARY KEY, expires BIGINT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX jobs_ended ON jobs (server, finished) "
    "WHERE kind = 'backup' AND state IN ('succeeded', 'failed', 'expired')",
    "CREATE INDEX backups_by_report ON backups (server, reported)",

    R"(CREATE TABLE alerts (
        id       TEXT NOT NULL PRIMARY KEY,
        key      TEXT NOT NULL,
        rule     TEXT NOT NULL,
        severity TEXT NOT NULL,
        server   TEXT NOT NULL,
        label    TEXT NOT NULL,
        text     TEXT NOT NULL,
        hint     TEXT NOT NULL,
        raised   BIGINT NOT NULL,
        resolved BIGINT NOT NULL,
        told     BIGINT NOT NULL) WITHOUT ROWID)",
    "CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE resolved = 0",
    "CREATE INDEX alerts_by_time ON alerts (raised)",
    R"(CREATE TABLE alert_deliveries (
        id       TEXT NOT NULL PRIMARY KEY,
        event    TEXT NOT NULL,
        channel  TEXT NOT NULL,
        body     TEXT NOT NULL,
        created  BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        next_try BIGINT NOT NULL,
        outcome  TEXT NOT NULL,
        error    TEXT NOT NULL) WITHOUT ROWID)",
    "CREATE INDEX alert_deliveries_due ON alert_deliveries (channel, next_try) WHERE outcome = ''",
};

void step_3(Session& session) {
    for (const auto statement : watching) session << std::string(statement);
}

constexpr std::string_view job_rates[] = {
    "ALTER TABLE jobs ADD COLUMN rate BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN retries BIGINT NOT NULL DEFAULT 0",
};

void step_4(Session& session) {
    for (const auto statement : job_rates) session << std::string(statement);
}

constexpr std::string_view schedule_news[] = {
    // Servers whose agent has not asked since a schedule of theirs changed.
    "CREATE TABLE schedule_news (server TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
};

void step_5(Session& session) {
    for (const auto statement : schedule_news) session << std::string(statement);
}

// Proof of recovery: challenges, the last proof for each subkey, and what the rules need of them.
constexpr std::string_view proving[] = {
    R"(CREATE TABLE escrow_challenges (
        id      TEXT NOT NULL,
        server  TEXT NOT NULL REFERENCES servers (uuid),
        owner   TEXT NOT NULL REFERENCES users (fingerprint),
        subkey  TEXT NOT NULL,
        digest  TEXT NOT NULL,
        created BIGINT NOT NULL,
        expires BIGINT NOT NULL,
        used    BIGINT NOT NULL,
        PRIMARY KEY (id, subkey)) WITHOUT ROWID)",
    "CREATE INDEX escrow_challenges_by_end ON escrow_challenges (expires)",
    R"(CREATE TABLE proofs (
        server  TEXT NOT NULL REFERENCES servers (uuid),
        subkey  TEXT NOT NULL,
        owner   TEXT NOT NULL REFERENCES users (fingerprint),
        sha256  TEXT NOT NULL,
        proven  BIGINT NOT NULL,
        PRIMARY KEY (server, subkey)) WITHOUT ROWID)",
};

void step_6(Session& session) {
    for (const auto statement : proving) session << std::string(statement);
}

// For the rules, of jobs that are no backups. And a view changed: who gave the last proof.
constexpr std::string_view ended_jobs =
    "CREATE INDEX other_jobs_ended ON jobs (server, kind, finished) "
    "WHERE kind <> 'backup' AND state IN ('succeeded', 'failed', 'expired')";

void step_7(Session& session) {
    session << std::string(ended_jobs);
}

// Sets that their owner removed from the store.
void step_8(Session& session) {
    session << "ALTER TABLE backups ADD COLUMN removed BIGINT NOT NULL DEFAULT 0";
}

// The dispatcher's change of key, and requests for escrow records.
constexpr std::string_view own_keys[] = {
    R"(CREATE TABLE key_changes (
        sequence    BIGINT NOT NULL PRIMARY KEY,
        current_key TEXT NOT NULL UNIQUE,
        next_key    TEXT NOT NULL UNIQUE,
        statement   TEXT NOT NULL,
        made        BIGINT NOT NULL,
        switched    BIGINT NOT NULL,
        retired     BIGINT NOT NULL) WITHOUT ROWID)",
    R"(CREATE TABLE key_pins (
        peer            TEXT NOT NULL PRIMARY KEY,
        newest          TEXT NOT NULL,
        newest_since    BIGINT NOT NULL,
        addressed       TEXT NOT NULL,
        addressed_since BIGINT NOT NULL) WITHOUT ROWID)",
    R"(CREATE TABLE escrow_requests (
        server  TEXT NOT NULL REFERENCES servers (uuid),
        owner   TEXT NOT NULL REFERENCES users (fingerprint),
        fetched BIGINT NOT NULL))",
    "CREATE INDEX escrow_requests_of_server ON escrow_requests (server, fetched)",
    "CREATE INDEX escrow_requests_of_user ON escrow_requests (owner, fetched)",
    "CREATE INDEX escrow_requests_by_time ON escrow_requests (fetched)",
};

void step_9(Session& session) {
    for (const auto statement : own_keys) session << std::string(statement);
}

// Recovery keys that change, and users' statements on their way to an agent.
constexpr std::string_view recovery_changes[] = {
    "ALTER TABLE servers ADD COLUMN recovery_sequence BIGINT NOT NULL DEFAULT 0",
    R"(CREATE TABLE user_statements (
        server    TEXT NOT NULL REFERENCES servers (uuid),
        sha256    TEXT NOT NULL,
        sender    TEXT NOT NULL REFERENCES users (fingerprint),
        statement TEXT NOT NULL,
        sent      BIGINT NOT NULL,
        state     TEXT NOT NULL,
        ended     BIGINT NOT NULL,
        text      TEXT NOT NULL,
        PRIMARY KEY (server, sha256)))",
    "CREATE UNIQUE INDEX user_statements_pending ON user_statements (server) WHERE state = 'pending'",
};

void step_10(Session& session) {
    for (const auto statement : recovery_changes) session << std::string(statement);
}

// Proofs by restoring, of sets; and a view tells the last ones of a server.
constexpr std::string_view restore_proofs[] = {
    "ALTER TABLE backups ADD COLUMN proven BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE backups ADD COLUMN proof_failed BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE backups ADD COLUMN proof_text TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX backups_proven ON backups (server, proven) WHERE removed = 0 AND proven > 0",
    "CREATE INDEX backups_not_proven ON backups (server, proof_failed) WHERE removed = 0 AND proof_failed > "
    "0",
};

void step_11(Session& session) {
    for (const auto statement : restore_proofs) session << std::string(statement);
}

// For the rule that looks for the newest full backup beside increments.
void step_12(Session& session) {
    session << "CREATE INDEX full_backups_by_report ON backups (server, reported) "
               "WHERE kind = 'full' AND removed = 0";
}

constexpr SchemaStep steps[] = {step_1, step_2,  step_3,  step_4,  step_5,  step_6,  step_7, step_8,
                                step_9, step_10, step_11, step_12, step_13, step_14, step_15};

}  // namespace

std::span<const SchemaStep> schema_steps() {
    return steps;
}

}  // namespace strongroom::dispatcher
