#include "agent/source/dump_source.hpp"

#include <algorithm>

#include "agent/source/mysql_client.hpp"
#include "agent/source/tool_output.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t watched = 64U << 10U;  // bytes at each end

backupset::ProcessSource::Options dump_options(const Tool& tool, const std::filesystem::path& option_file,
                                               bool binlog, std::chrono::milliseconds stall) {
    backupset::ProcessSource::Options out;
    out.name = tool.name;
    out.spawn.argv = {tool.program};
    for (auto& argument : option_file_argument(option_file)) out.spawn.argv.push_back(std::move(argument));
    // --comments and --dump-date also when the option file says otherwise: the last comment is the proof of
    // a whole dump.
    for (const char* argument : {"--single-transaction", "--all-databases", "--routines", "--events",
                                 "--triggers", "--hex-blob", "--comments", "--dump-date"})
        out.spawn.argv.emplace_back(argument);
    if (binlog) out.spawn.argv.emplace_back(tool.is_oracle_dump() ? "--source-data=2" : "--master-data=2");
    out.stall = stall;
    return out;
}

}  // namespace

DumpSource::DumpSource(const Tool& tool, const std::filesystem::path& option_file, bool binlog,
                       std::chrono::milliseconds stall)
    : process_(dump_options(tool, option_file, binlog, stall)) {}

std::size_t DumpSource::read(char* data, std::size_t size) {
    const std::size_t got = process_.read(data, size);
    const std::string_view bytes(data, got);
    if (head_.size() < watched) head_.append(bytes.substr(0, watched - head_.size()));
    if (got >= watched) {
        tail_.assign(bytes.substr(got - watched));
    } else {
        if (tail_.size() + got > watched) tail_.erase(0, tail_.size() + got - watched);
        tail_.append(bytes);
    }
    return got;
}

backupset::Source::Facts DumpSource::finish() {
    process_.finish();
    return read_dump_text(head_, tail_);
}

}  // namespace strongroom::agent
