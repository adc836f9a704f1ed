#include "agent/check/database_check.hpp"

#include <unistd.h>

#include <optional>

#include "agent/check/server_check.hpp"
#include "agent/server_state/server_state.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/tool.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"

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

Finding check_scope(const AgentConfig& config) {
    try {
        const auto plan = restore::plan_dump(
            restore::SqlClient(option_file_argument(config.mysql_option_file), {}), dump_scope(config));
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
        if (tool && tool->family == ToolFamily::dump) out.push_back(check_scope(config));
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
