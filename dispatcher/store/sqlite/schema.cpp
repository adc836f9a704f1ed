#include "dispatcher/store/sqlite/schema.hpp"

namespace strongroom::dispatcher {
namespace {

// No column is ever NULL: empty text and 0 say "none". Times are UTC milliseconds.
constexpr std::string_view step_1[] = {
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

    // The reply, encrypted (dispatcher/auth/kept_reply.hpp), base64: a registration code in it is not kept in
    // clear.
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

constexpr std::span<const std::string_view> steps[] = {step_1};

}  // namespace

std::span<const std::span<const std::string_view>> schema_steps() {
    return steps;
}

}  // namespace strongroom::dispatcher
