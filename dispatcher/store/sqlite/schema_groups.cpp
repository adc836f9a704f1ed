#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {
namespace {

// What agents say of their database servers; schedules of groups, and jobs that move from member to member.
constexpr std::string_view tables[] = {
    R"(CREATE TABLE server_states (
        server   TEXT NOT NULL PRIMARY KEY REFERENCES servers (uuid),
        reported BIGINT NOT NULL,
        grp      TEXT NOT NULL,
        state    TEXT NOT NULL) WITHOUT ROWID)",
    "CREATE INDEX server_states_by_group ON server_states (grp) WHERE grp <> ''",
    R"(CREATE TABLE group_schedules (
        id            TEXT NOT NULL PRIMARY KEY,
        owner         TEXT NOT NULL REFERENCES users (fingerprint),
        grp           TEXT NOT NULL,
        kind          TEXT NOT NULL,
        cron          TEXT NOT NULL,
        splay         BIGINT NOT NULL,
        primary_after BIGINT NOT NULL,
        created       BIGINT NOT NULL,
        next_slot     BIGINT NOT NULL,
        UNIQUE (owner, grp, kind)) WITHOUT ROWID)",
    "ALTER TABLE jobs ADD COLUMN grp TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN held BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN given BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN attempts_before BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX jobs_of_groups ON jobs (state) WHERE grp <> ''",
    R"(CREATE TABLE job_moves (
        job    TEXT NOT NULL,
        server TEXT NOT NULL REFERENCES servers (uuid),
        moved  BIGINT NOT NULL,
        final  BIGINT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (job, server)) WITHOUT ROWID)",
};

}  // namespace

void step_14(Session& session) {
    for (const auto statement : tables) session << std::string(statement);
}

}  // namespace strongroom::dispatcher
