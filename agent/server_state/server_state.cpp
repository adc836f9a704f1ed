#include "agent/server_state/server_state.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> out;
    std::istringstream parts(line);
    for (std::string part; std::getline(parts, part, '\t');) out.push_back(part);
    return out;
}

// Foreign text in a field of at most `max` bytes; what is cut ends in "...".
std::string shown(const std::string& text, std::size_t max) {
    return printable_line(text, max - 3);
}

std::optional<std::int64_t> number(const std::string& text) {
    std::int64_t out = 0;
    const auto end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, out);
    if (problem != std::errc() || stop != end || out < 0 || out > any_size.max) return std::nullopt;
    return out;
}

std::string first_of(const Row& row, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (const auto found = row.find(name); found != row.end() && found->second != "NULL")
            return found->second;
    return {};
}

std::optional<std::string> unless_empty(std::string text) {
    if (text.empty()) return std::nullopt;
    return text;
}

proto::ReplicationSource source_of(const Row& row) {
    proto::ReplicationSource out;
    out.name = shown(first_of(row, {"Connection_name", "Channel_Name"}), 80);
    out.io = shown(first_of(row, {"Slave_IO_Running", "Replica_IO_Running"}), 40);
    out.sql = shown(first_of(row, {"Slave_SQL_Running", "Replica_SQL_Running"}), 40);
    out.behind_s = number(first_of(row, {"Seconds_Behind_Master", "Seconds_Behind_Source"}));
    std::string error = first_of(row, {"Last_SQL_Error"});
    if (error.empty()) error = first_of(row, {"Last_IO_Error"});
    out.error = unless_empty(shown(error, 400));
    out.server_id = number(first_of(row, {"Master_Server_Id", "Source_Server_Id"}));
    out.server_uuid = unless_empty(shown(first_of(row, {"Master_UUID", "Source_UUID"}), 64));
    out.gtid = unless_empty(shown(first_of(row, {"Gtid_IO_Pos"}), 200));
    return out;
}

bool is_mariadb(const std::string& version) {
    return version.find("MariaDB") != std::string::npos;
}

std::pair<int, int> version_of(const std::string& text) {
    int major = 0;
    int minor = 0;
    const auto end = text.data() + text.size();
    const auto [dot, problem] = std::from_chars(text.data(), end, major);
    if (problem == std::errc() && dot != end && *dot == '.') std::from_chars(dot + 1, end, minor);
    return {major, minor};
}

std::string replication_question(const std::string& version) {
    if (is_mariadb(version)) return "SHOW ALL SLAVES STATUS;";
    return version_of(version) >= std::pair{8, 1} ? "SHOW REPLICA STATUS;" : "SHOW SLAVE STATUS;";
}

// What is missing to see it, by the server's kind and age.
std::string replication_privilege(const std::string& version) {
    return is_mariadb(version) && version_of(version) >= std::pair{10, 5} ? "SLAVE MONITOR"
                                                                          : "REPLICATION CLIENT";
}

void ask_replication(proto::ServerState& state, const AgentConfig& config) {
    const std::string version = state.version.value_or("");
    try {
        state.sources = replication_sources(
            ask_mysql(config.mysql_option_file, replication_question(version), MysqlRows::with_header));
    } catch (const Error& error) {
        const bool denied = error.text().find("Access denied") != std::string::npos;
        state.role = "unknown";
        state.problem =
            shown(denied ? "the account may not see it: GRANT " + replication_privilege(version) + " ON *.*"
                         : error.text(),
                  400);
        return;
    }
    if (!is_mariadb(version)) {  // MariaDB says it in its status
        const auto rows = ask_mysql(
            config.mysql_option_file,
            "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%';");
        state.replicas = std::min<std::int64_t>(number(rows.substr(0, rows.find('\n'))).value_or(0), 100'000);
    }
    state.role = replication_role(state);
}

void add_space(proto::ServerState& state, const char* of, const std::string& path) {
    struct statvfs info {};
    if (path.empty() || ::statvfs(path.c_str(), &info) != 0) return;
    const auto bytes = [&](auto blocks) {
        return std::min(static_cast<std::int64_t>(blocks * info.f_frsize), any_size.max);
    };
    state.space.push_back({of, bytes(info.f_bavail), bytes(info.f_blocks)});
}

std::string value_in(const std::string& rows, const std::string& name) {
    std::istringstream lines(rows);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + "\t")) return line.substr(name.size() + 1);
    return {};
}

}  // namespace

const char* const server_question = R"(
SELECT 'version', VERSION();
SHOW GLOBAL VARIABLES WHERE variable_name IN ('datadir', 'server_id', 'server_uuid', 'read_only', 'wsrep_on', 'log_bin',
    'binlog_format', 'sync_binlog', 'innodb_encrypt_tables', 'default_table_encryption');
SHOW GLOBAL STATUS WHERE variable_name IN ('slaves_connected', 'wsrep_local_state_comment', 'wsrep_cluster_status',
    'wsrep_ready', 'wsrep_cluster_size');
SELECT 'key_plugin', plugin_name FROM information_schema.plugins WHERE plugin_status = 'ACTIVE'
    AND (plugin_type = 'ENCRYPTION' OR plugin_name LIKE 'keyring%');
SELECT 'engine', CONCAT(engine, ' ', COUNT(*)) FROM information_schema.tables WHERE table_type = 'BASE TABLE'
    AND engine IN ('MyISAM', 'Aria', 'MEMORY', 'CSV', 'ARCHIVE', 'MERGE', 'MRG_MyISAM')
    AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') GROUP BY engine;
)";

bool has_database_server(const AgentConfig& config) {
    return config.backs_up() && (config.source != "command" || !config.mysql_option_file.empty());
}

void take_settings(proto::ServerState& state, const std::string& rows) {
    proto::GaleraState galera;
    bool clustered = false;
    bool log_bin = false;
    std::string format;
    std::string sync;
    std::string encrypts;
    std::istringstream lines(rows);
    for (std::string line; std::getline(lines, line);) {
        const auto tab = line.find('\t');
        if (tab == std::string::npos) continue;
        std::string name = line.substr(0, tab);
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const std::string value = line.substr(tab + 1);
        if (name == "version") state.version = shown(value, 120);
        if (name == "server_id") state.server_id = number(value);
        if (name == "server_uuid") state.server_uuid = unless_empty(shown(value, 64));
        if (name == "read_only") state.read_only = value == "ON";
        if (name == "log_bin") log_bin = value == "ON";
        if (name == "binlog_format") format = shown(value, 20);
        if (name == "sync_binlog" && value == "0") sync = ", sync_binlog 0";
        if (name == "slaves_connected")
            state.replicas = std::min<std::int64_t>(number(value).value_or(0), 100'000);
        if (name == "wsrep_on") clustered = value == "ON";
        if (name == "wsrep_local_state_comment") galera.node = shown(value, 60);
        if (name == "wsrep_cluster_status") galera.cluster = shown(value, 60);
        if (name == "wsrep_ready") galera.ready = value == "ON";
        if (name == "wsrep_cluster_size") galera.size = number(value).value_or(0);
        if (name == "engine" && state.engines.size() < 16) state.engines.push_back(shown(value, 80));
        const bool tables = name == "innodb_encrypt_tables" || name == "default_table_encryption";
        if (name == "key_plugin" || (tables && value != "OFF"))
            encrypts += (encrypts.empty() ? "" : ", ") + (tables ? name : value);
    }
    state.binlog = log_bin ? format + sync : "off";
    state.encryption = unless_empty(shown(encrypts, 200));
    if (clustered) state.galera = galera;
}

std::vector<proto::ReplicationSource> replication_sources(const std::string& rows_with_header) {
    std::vector<proto::ReplicationSource> out;
    std::istringstream lines(rows_with_header);
    std::string line;
    if (!std::getline(lines, line)) return out;
    const auto names = cells(line);
    while (std::getline(lines, line) && out.size() < 16) {
        const auto values = cells(line);
        Row row;
        for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) row[names[i]] = values[i];
        out.push_back(source_of(row));
    }
    return out;
}

std::string replication_role(const proto::ServerState& state) {
    const bool replicates = !state.sources.empty();
    if (state.replicas > 0) return replicates ? "both" : "primary";
    return replicates ? "replica" : "none";
}

proto::ServerState ask_server_state(const AgentConfig& config, UtcTime now) {
    proto::ServerState out;
    out.asked = to_millis(now);
    out.group = unless_empty(config.group);
    out.max_lag_s = config.group_max_lag;
    out.backs_up_primary = config.group_primary != "never";
    out.windows = config.backup_windows;
    if (out.windows.size() > 16) out.windows.resize(16);
    out.role = "unknown";
    std::string datadir;
    if (!has_database_server(config)) {
        out.problem = config.backs_up() ? "the source is a command: no database server is asked"
                                        : "this host makes no backups: no database server is asked";
    } else {
        try {
            const std::string rows = ask_mysql(config.mysql_option_file, server_question);
            take_settings(out, rows);
            datadir = value_in(rows, "datadir");
            ask_replication(out, config);
        } catch (const Error& error) {
            out.role = "unknown";
            out.problem = shown(error.text(), 400);
        }
    }
    add_space(out, "data", datadir);
    add_space(out, "state", config.state_dir.string());
    if (config.store.starts_with("file://")) add_space(out, "store", config.store.substr(7));
    return out;
}

}  // namespace strongroom::agent
