// Which part of the server a dump holds: as it is configured, and as the server has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/config/agent_config.hpp"
#include "common/restore/sql_client.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::agent {

struct DumpScope {
    restore::Selection wanted;  // all: everything but the excluded tables
    std::vector<restore::TableName> excluded;
    bool partial() const { return !wanted.all() || !excluded.empty(); }
    // Whether rows of this table are in the dump. The server's own schemas count as wanted if all is.
    bool holds(const restore::TableName& name) const;
};

// Throws Error{config} for a name that no server could have, for databases and tables together, and for a
// source that makes no dumps.
DumpScope dump_scope(const AgentConfig& config);

// How the dump tool is told, and what its dump must hold.
struct DumpPlan {
    std::vector<std::string> arguments;  // what is dumped; the last ones of the tool's
    DumpScope scope;
    std::vector<std::string> not_there;  // excluded tables that the server does not have
};

// Asks the server which of it there is. Throws Error{source} naming a database or table that is not there,
// with the nearest names, Error{config} if there is more to leave out than a command line holds.
DumpPlan plan_dump(const restore::SqlClient& server, DumpScope scope);

// Bytes of data in the tables that are dumped, as the server estimates them.
std::int64_t ask_dump_length(const restore::SqlClient& server, const DumpScope& scope);

}  // namespace strongroom::agent
