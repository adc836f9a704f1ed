// A set that a real mydumper made of a real server, and the commands that restore it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "client/restore/restore.hpp"
#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"
#include "common/restore/table_name.hpp"
#include "tests/integration/client/restore/escrowed_server.hpp"
#include "tests/support/mariadb_server.hpp"

namespace strongroom::test {

// All of the two databases that a dump should bring back, in one text.
std::string state_of(const MariadbServer& server);

struct DumpedServer : EscrowedServer {
    MariadbServer source;  // shop: tables, views, a sequence, triggers, routines, an event; crm: a table
    client::RecoveredHome recovered = recover("home");
    gpg::Home home = gpg::Home::use(folder() / "home");
    std::vector<std::string> said;
    client::RestoreFrom from{store(), recovered, home, 0, {}};
    std::string set;
    backupset::Manifest manifest;
    std::set<std::string> before;  // names() when all of this was made

    DumpedServer();
    ~DumpedServer() { home.stop_daemons(); }

    // As `restore` makes it.
    std::string text_of(const restore::Selection& wanted);
    // `strongroom --json restore ...` of a set in the store, with scratch space in folder().
    std::vector<std::string> command(std::vector<std::string> more) const;
    RunResult run(const std::vector<std::string>& more) const;
    // That it fails in this way, and leaves nothing.
    void refuses(const std::vector<std::string>& more, ErrorKind kind, const std::string& text) const;
};

}  // namespace strongroom::test
