#include "agent/check/server_check.hpp"

#include <sstream>

#include "agent/source/mysql_client.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

// One column "name", one "value"; every server that is supported knows all of these tables.
constexpr const char* question = R"(
SELECT 'key_plugin', plugin_name FROM information_schema.plugins WHERE plugin_status = 'ACTIVE'
    AND (plugin_type = 'ENCRYPTION' OR plugin_name LIKE 'keyring%');
SHOW GLOBAL VARIABLES WHERE variable_name IN ('innodb_encrypt_tables', 'default_table_encryption', 'binlog_format',
    'sync_binlog');
SELECT 'engine', CONCAT(engine, ' ', COUNT(*)) FROM information_schema.tables WHERE table_type = 'BASE TABLE'
    AND engine IN ('MyISAM', 'Aria', 'MEMORY', 'CSV', 'ARCHIVE', 'MERGE', 'MRG_MyISAM')
    AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') GROUP BY engine;
)";

std::string joined_with_commas(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : ", ") + printable_line(part, 80);
    return out;
}

Finding encryption_at_rest(const ServerSettings& settings, ToolFamily family) {
    const bool on = !settings.key_plugins.empty() ||
                    (!settings.encrypt_tables.empty() && settings.encrypt_tables != "OFF");
    if (!on) return {Verdict::ok, "encryption at rest", "the server itself encrypts no data files", {}};
    const std::string by =
        settings.key_plugins.empty() ? "innodb_encrypt_tables" : joined_with_commas(settings.key_plugins);
    if (family != ToolFamily::physical)
        return {
            Verdict::ok, "encryption at rest", by + "; a dump holds plain rows and needs no key of it", {}};
    return {
        Verdict::warn, "encryption at rest",
        "THE SERVER ENCRYPTS ITS DATA FILES (" + by +
            "): a physical backup opens only with the keys of that plug-in, and they are NOT in the backup",
        "Keep those keys, their file or the access to their key server, in another safe place, and rehearse "
        "a "
        "restore without this host; or back up with mariadb-dump."};
}

}  // namespace

ServerSettings read_server_settings(const std::string& rows) {
    ServerSettings out;
    std::istringstream lines(rows);
    for (std::string line; std::getline(lines, line);) {
        const auto tab = line.find('\t');
        if (tab == std::string::npos) continue;
        const std::string name = line.substr(0, tab);
        const std::string value = line.substr(tab + 1);
        if (name == "key_plugin") out.key_plugins.push_back(value);
        if (name == "innodb_encrypt_tables" || name == "default_table_encryption") out.encrypt_tables = value;
        if (name == "engine") out.engines.push_back(value);
        if (name == "binlog_format") out.binlog_format = value;
        if (name == "sync_binlog") out.sync_binlog = value;
    }
    return out;
}

std::vector<Finding> findings_of(const ServerSettings& settings, ToolFamily family) {
    std::vector<Finding> out{encryption_at_rest(settings, family)};
    if (!settings.engines.empty())
        out.push_back(
            {Verdict::warn, "engines", "tables without transactions: " + joined_with_commas(settings.engines),
             family == ToolFamily::physical
                 ? "They are copied under a short lock; writes to them wait for it."
                 : "A dump does not read them at the same moment as the others: convert them to InnoDB."});
    if (settings.sync_binlog == "0")
        out.push_back({Verdict::warn, "binary log",
                       "sync_binlog is 0: a crash can lose what a backup counts on",
                       "SET GLOBAL sync_binlog = 1"});
    if (settings.binlog_format == "STATEMENT")
        out.push_back({Verdict::warn, "binary log",
                       "binlog_format is STATEMENT: replaying it after a restore may give other rows",
                       "Use ROW or MIXED."});
    return out;
}

void check_server(std::vector<Finding>& out, const AgentConfig& config, const Tool& tool) {
    const auto settings = read_server_settings(ask_mysql(config.mysql_option_file, question));
    for (auto& finding : findings_of(settings, tool.family)) out.push_back(std::move(finding));
}

}  // namespace strongroom::agent
