#include "agent/source/open_source.hpp"

#include "agent/source/command_source.hpp"
#include "agent/source/dump_source.hpp"
#include "agent/source/mysql_client.hpp"
#include "agent/source/physical_source.hpp"
#include "common/base/error.hpp"

namespace strongroom::agent {

std::unique_ptr<backupset::Source> open_source(const AgentConfig& config, const Tool& tool,
                                               const std::filesystem::path& temp_parent) {
    const std::chrono::seconds stall(config.source_stall);
    if (tool.family == ToolFamily::command)
        return std::make_unique<CommandSource>(config.source_command, stall);
    const MysqlServer server = ask_server(config.mysql_option_file);
    require_privileges(server, tool.needed_privileges(server.is_mariadb()), tool.name);
    if (tool.family == ToolFamily::physical)
        return std::make_unique<PhysicalSource>(tool, config.mysql_option_file, temp_parent, stall);
    return std::make_unique<DumpSource>(tool, config.mysql_option_file, server.log_bin, stall);
}

}  // namespace strongroom::agent
