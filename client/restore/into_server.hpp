// A dump, or a part of one, into a running server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/restore/sql_parts.hpp"

namespace strongroom::client {

struct IntoServer {
    std::filesystem::path option_file;  // private, [client] user/password/socket: which server, and who
    bool overwrite = false;             // tables that are there and hold rows, and views, may be replaced
    std::string into_database{};        // instead of the one that the part is of; made if it is not there
    bool skip_triggers = false;
};

// Nothing is sent before all of the text was verified and read (as restore_part() does it), and before the
// server was asked: a table that is there and not empty, a view or a sequence is refused (Error{exists})
// unless it may be overwritten. Then the text goes through the server's own command line client, which takes
// statements only (--sandbox) and stops at the first that fails: Error{source} then says which tables are
// loaded whole, which one is half there and which were not begun. What was loaded before is not undone:
// CREATE TABLE cannot be. Returns what was loaded, each of which the server shows afterwards.
std::vector<restore::DumpedTable> restore_into_server(const RestoreFrom& from, const SqlFeed& feed,
                                                      const restore::Selection& wanted,
                                                      const IntoServer& into);

}  // namespace strongroom::client
