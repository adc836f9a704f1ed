// What is worth knowing about the database server before its backups are needed.
#pragma once

#include <string>
#include <vector>

#include "agent/check/check.hpp"
#include "agent/config/agent_config.hpp"
#include "agent/source/tool.hpp"

namespace strongroom::agent {

// Findings: "encryption at rest" (a warning: a physical backup then needs a key that is not in it), "engines"
// (tables without transactions, as far as the account may see them), "binary log". Throws as ask_mysql().
void check_server(std::vector<Finding>& out, const AgentConfig& config, const Tool& tool);

// From lines "name<TAB>value" to findings; pure.
struct ServerSettings {
    std::vector<std::string> key_plugins;  // active plugins that encrypt data files
    std::string encrypt_tables;            // innodb_encrypt_tables / default_table_encryption; empty: unknown
    std::vector<std::string>
        engines;  // "MyISAM 3": engines without transactions that hold tables, and how many
    std::string binlog_format;
    std::string sync_binlog;
};
ServerSettings read_server_settings(const std::string& rows);
std::vector<Finding> findings_of(const ServerSettings& settings, ToolFamily family);

}  // namespace strongroom::agent
