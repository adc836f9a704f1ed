#include "agent/check/database_check.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <optional>

#include "agent/check/server_check.hpp"
#include "agent/server_state/server_state.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/mydumper_plan.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/tool.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/restore/server_folder.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

Finding check_datadir(const std::filesystem::path& datadir) {
    const auto file = datadir / "ibdata1";
    if (::access(datadir.c_str(), R_OK | X_OK) != 0 || ::access(file.c_str(), R_OK) != 0)
        return {
            Verdict::fail, "data folder", datadir.string() + " cannot be read by this user",
            "Physical backups copy its files: run the agent as mysql or root, or add it to the group mysql."};
    return {Verdict::ok, "data folder", datadir.string() + " can be read", {}};
}

Finding check_privileges(const MysqlServer& server, const Tool& tool) {
    try {
        require_privileges(server, tool.needed_privileges(server.is_mariadb()), tool.name);
    } catch (const Error& error) {
        return {Verdict::fail, "mysql grants", error.text(), error.hint()};
    }
    return {Verdict::ok, "mysql grants", server.account + " has all that " + tool.name + " needs", {}};
}

Finding check_scope(const AgentConfig& config, const Tool& tool) {
    try {
        const restore::SqlClient client(option_file_argument(config.mysql_option_file), {});
        const auto plan = restore::plan_dump(client, dump_scope(config));
        if (tool.family == ToolFamily::mydumper) plan_mydumper(client, plan.scope);  // the names, too
        const auto& wanted = plan.scope.wanted;
        std::string text = "the whole server";
        if (!wanted.databases.empty()) text = std::to_string(wanted.databases.size()) + " databases";
        if (!wanted.tables.empty()) text = std::to_string(wanted.tables.size()) + " tables";
        if (!plan.scope.excluded.empty())
            text += " without " + std::to_string(plan.scope.excluded.size()) + " tables";
        if (plan.not_there.empty()) return {Verdict::ok, "what is dumped", text, {}};
        return {Verdict::warn, "what is dumped", text + "; there is no " + plan.not_there.front(),
                "See exclude-tables: what is misspelt there is dumped."};
    } catch (const Error& error) {
        return {Verdict::fail, "what is dumped", error.text(), error.hint()};
    }
}

Finding check_mydumper(const AgentConfig& config) {
    const auto& folder = config.dump.mydumper_folder;
    struct statfs info {};
    if (::statfs(folder.c_str(), &info) != 0)
        return {Verdict::fail, "mydumper-folder", "there is no folder " + folder.string(), "Use /dev/shm."};
    const auto free = restore::free_bytes(folder);
    const std::string text = folder.string() + ", " + term::format_bytes(free) + " free";
    if (info.f_type != TMPFS_MAGIC && info.f_type != RAMFS_MAGIC)
        return {Verdict::warn, "mydumper-folder", text + ", is on a disk: its files are in plain text there",
                "Set mydumper-folder to a folder in memory, such as /dev/shm."};
    if (free < 2 * config.dump.mydumper_memory)
        return {Verdict::warn, "mydumper-folder", text + ": less than twice mydumper-memory",
                "mydumper is held earlier, which takes longer."};
    return {Verdict::ok, "mydumper-folder", text, {}};
}

// Nobody should learn of it on the day of a restore.
Finding tell_what_is_left_out() {
    return {
        Verdict::warn, "what mydumper leaves out",
        "accounts and all else of the schema mysql, the sql_mode of triggers and routines, and the history "
        "of system-versioned tables",
        "If you need them, use mariadb-dump or mariadb-backup (docs/tables.md)."};
}

}  // namespace

std::optional<proto::ServerState> check_database(std::vector<Finding>& out, const AgentConfig& config,
                                                 UtcTime now) {
    std::optional<proto::ServerState> state;
    if (!config.mysql_option_file.empty()) {
        try {
            require_private_file(config.mysql_option_file);
            out.push_back({Verdict::ok, "option file", config.mysql_option_file.string(), {}});
        } catch (const Error& error) {
            out.push_back({Verdict::fail, "option file", error.text(), error.hint()});
            return state;  // nothing that uses it is run
        }
    }
    std::optional<Tool> tool;
    try {
        tool = find_tool(config);
        out.push_back(
            {Verdict::ok, "backup tool", tool->version.empty() ? tool->program : tool->version, {}});
    } catch (const Error& error) {
        out.push_back({Verdict::fail, "backup tool", error.text(), error.hint()});
    }
    if (config.source == "command") return state;
    try {
        const MysqlServer server = ask_server(config.mysql_option_file);
        out.push_back({Verdict::ok, "mysql", server.version + " as " + server.account, {}});
        if (tool) out.push_back(check_privileges(server, *tool));
        if (tool && tool->family == ToolFamily::physical) out.push_back(check_datadir(server.datadir));
        if (tool && (tool->family == ToolFamily::dump || tool->family == ToolFamily::mydumper))
            out.push_back(check_scope(config, *tool));
        if (tool && tool->family == ToolFamily::mydumper) {
            out.push_back(check_mydumper(config));
            out.push_back(tell_what_is_left_out());
        }
        state = ask_server_state(config, now);
        if (tool)
            for (auto& finding : findings_of(*state, tool->family)) out.push_back(std::move(finding));
        if (!server.log_bin)
            out.push_back({Verdict::warn, "binary log", "is off: a restore reaches only the backup's moment",
                           "Set log-bin to be able to go on from there."});
    } catch (const Error& error) {
        out.push_back({Verdict::fail, "mysql", error.text(), error.hint()});
    }
    return state;
}

}  // namespace strongroom::agent
