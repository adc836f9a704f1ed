#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {

// Changes of servers' identity keys.
void step_13(Session& session) {
    session << R"(CREATE TABLE identity_changes (
        server       TEXT NOT NULL REFERENCES servers (uuid),
        sequence     BIGINT NOT NULL,
        current_key  TEXT NOT NULL,
        next_key     TEXT NOT NULL,
        former_key   TEXT NOT NULL,
        current_proof TEXT NOT NULL,
        next_proof   TEXT NOT NULL,
        approval     TEXT NOT NULL,
        approver_key TEXT NOT NULL,
        state        TEXT NOT NULL,
        told         BIGINT NOT NULL,
        PRIMARY KEY (server, sequence)))";
}

}  // namespace strongroom::dispatcher
