// Which part of a server a dump holds, as the server has it; and how its dump tool is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/restore/sql_client.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::restore {

struct DumpScope {
    Selection wanted;  // all: everything but the excluded tables
    std::vector<TableName> excluded;
    bool partial() const { return !wanted.all() || !excluded.empty(); }
    // Whether rows of this table are in the dump. The server's own schemas count as wanted if all is.
    bool holds(const TableName& name) const;
};

// How the dump tool is told, and what its dump must hold.
struct DumpPlan {
    std::vector<std::string> arguments;  // what is dumped; the last ones of the tool's
    DumpScope scope;
    std::vector<std::string> not_there;  // excluded tables that the server does not have
};

// Asks the server which of it there is. Throws Error{source} naming a database or table that is not there,
// with the nearest names, Error{config} if there is more to leave out than a command line holds.
DumpPlan plan_dump(const SqlClient& server, DumpScope scope);

// Bytes of data in the tables that are dumped, as the server estimates them.
std::int64_t ask_dump_length(const SqlClient& server, const DumpScope& scope);

}  // namespace strongroom::restore
