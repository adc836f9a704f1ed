#include "agent/source/open_source.hpp"

#include "agent/source/command_source.hpp"
#include "agent/source/dump_scope.hpp"
#include "agent/source/dump_source.hpp"
#include "agent/source/mydumper_source.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/physical_source.hpp"
#include "common/base/error.hpp"

namespace strongroom::agent {

std::unique_ptr<backupset::Source> open_source(const AgentConfig& config, const Tool& tool,
                                               const std::filesystem::path& temp_parent,
                                               std::optional<std::int64_t> since) {
    if (since && tool.family != ToolFamily::physical)
        throw Error(ErrorKind::internal, tool.name + " makes no increments");
    const std::chrono::seconds stall(config.source_timeout);
    if (tool.family == ToolFamily::command)
        return std::make_unique<CommandSource>(config.source_command, stall);
    const MysqlServer server = ask_server(config.mysql_option_file);
    require_privileges(server, tool.needed_privileges(server.is_mariadb()), tool.name);
    if (tool.family == ToolFamily::physical)
        return std::make_unique<PhysicalSource>(tool, config.mysql_option_file, temp_parent, stall, since);
    restore::SqlClient client(option_file_argument(config.mysql_option_file), {});
    auto plan = restore::plan_dump(client, dump_scope(config));
    if (tool.family == ToolFamily::mydumper) {
        auto files = plan_mydumper(client, plan.scope);
        return std::make_unique<MydumperSource>(config, tool, std::move(client), std::move(files),
                                                server.version);
    }
    return std::make_unique<DumpSource>(tool, config.mysql_option_file, server.log_bin, std::move(plan),
                                        stall);
}

std::int64_t expected_bytes(const AgentConfig& config, const Tool& tool) noexcept {
    if (tool.family == ToolFamily::command) return 0;
    try {
        if (tool.family == ToolFamily::dump || tool.family == ToolFamily::mydumper)
            return restore::ask_dump_length(
                restore::SqlClient(option_file_argument(config.mysql_option_file), {}), dump_scope(config));
        std::int64_t sum = 0;
        const auto options = std::filesystem::directory_options::skip_permission_denied;
        const auto datadir = ask_server(config.mysql_option_file).datadir;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(datadir, options)) {
            const std::string name = entry.path().filename().string();
            // The redo log, temporary tables and binary logs are not part of the stream.
            const std::string extension = entry.path().extension().string();
            const bool numbered =
                extension.size() == 7 && extension.find_first_not_of(".0123456789") == std::string::npos;
            if (!entry.is_regular_file() || name.starts_with("ib_logfile") || name.starts_with("ibtmp") ||
                numbered)
                continue;
            sum += static_cast<std::int64_t>(entry.file_size());
        }
        return sum;
    } catch (const std::exception&) {
        return 0;  // the database may drop files meanwhile
    }
}

}  // namespace strongroom::agent
