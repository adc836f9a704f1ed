#include "agent/source/physical_source.hpp"

#include "agent/source/mysql_client.hpp"
#include "agent/source/tool_output.hpp"

namespace strongroom::agent {
namespace {

backupset::ProcessSource::Options physical_options(const Tool& tool, const std::filesystem::path& option_file,
                                                   const std::filesystem::path& target,
                                                   std::chrono::milliseconds stall,
                                                   std::optional<std::int64_t> since) {
    backupset::ProcessSource::Options out;
    out.name = tool.name;
    out.spawn.argv = {tool.program};
    // The option file must be the first argument.
    for (auto& argument : option_file_argument(option_file)) out.spawn.argv.push_back(std::move(argument));
    for (const std::string& argument :
         {std::string("--backup"), std::string("--stream=xbstream"), "--target-dir=" + target.string()})
        out.spawn.argv.push_back(argument);
    if (since) out.spawn.argv.push_back("--incremental-lsn=" + std::to_string(*since));
    out.spawn.directory = target;
    out.stall = stall;
    return out;
}

}  // namespace

PhysicalSource::PhysicalSource(const Tool& tool, const std::filesystem::path& option_file,
                               const std::filesystem::path& temp_parent, std::chrono::milliseconds stall,
                               std::optional<std::int64_t> since)
    : PhysicalTarget{TempDir(temp_parent, "source")},
      ProcessSource(physical_options(tool, option_file, folder.path(), stall, since)),
      since_(since) {}

backupset::Source::Facts PhysicalSource::check(const backupset::Diagnostics& said) {
    return read_physical_output(said.head, said.tail, since_);
}

}  // namespace strongroom::agent
