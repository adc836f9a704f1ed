#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {

// Which hosts may prove the sets of a server, as it told last; and which server proved a set (empty: its
// own).
void step_15(Session& session) {
    session << R"(CREATE TABLE server_verifiers (
        server       TEXT NOT NULL PRIMARY KEY REFERENCES servers (uuid),
        fingerprints TEXT NOT NULL) WITHOUT ROWID)";
    session << "ALTER TABLE backups ADD COLUMN proof_by TEXT NOT NULL DEFAULT ''";
}

}  // namespace strongroom::dispatcher
