#include "agent/source/command_source.hpp"

namespace strongroom::agent {
namespace {

backupset::ProcessSource::Options command_options(const std::vector<std::string>& argv,
                                                  std::chrono::milliseconds stall) {
    backupset::ProcessSource::Options out;
    out.name = argv.front();
    out.spawn.argv = argv;
    out.stall = stall;
    return out;
}

}  // namespace

CommandSource::CommandSource(const std::vector<std::string>& argv, std::chrono::milliseconds stall)
    : ProcessSource(command_options(argv, stall)) {}

}  // namespace strongroom::agent
