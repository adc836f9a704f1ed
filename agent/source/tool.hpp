// Which program makes the backup: what is configured, or what fits the server and is installed.
#pragma once

#include <string>
#include <vector>

#include "agent/config/agent_config.hpp"

namespace strongroom::agent {

enum class ToolFamily { physical, dump, mydumper, command };

struct Tool {
    ToolFamily family = ToolFamily::command;
    std::string name;     // "mariadb-backup"; of a command its program's name
    std::string program;  // full path
    std::string version;  // first line of --version; of a command empty
    std::string stream;   // "xbstream", "sql", "tar", "raw"

    // Privileges on *.* that the tool needs at this kind of server.
    std::vector<std::string> needed_privileges(bool mariadb_server) const;
    // MySQL's own dump tool, not MariaDB's under its old name: some options differ.
    bool is_oracle_dump() const;
};

// First line of what `program` (full path) says of its version, without the path. Throws Error{tool_missing}
// if that fails.
std::string version_of(const std::string& program);

// Throws Error{refused} if this host makes no backups (source "none").
void require_source(const AgentConfig& config);

// Throws Error{tool_missing} naming what to install. "auto" asks the server what it is, when it answers:
// MariaDB gets mariadb-backup, then mariadb-dump; MySQL gets xtrabackup, then mysqldump. A part of a server
// is dumped. Also throws what dump_scope() throws.
Tool find_tool(const AgentConfig& config);

}  // namespace strongroom::agent
