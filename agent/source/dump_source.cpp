#include "agent/source/dump_source.hpp"

#include <algorithm>

#include "agent/source/mysql_client.hpp"
#include "agent/source/tool_output.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t watched = 64U << 10U;  // bytes at each end

backupset::ProcessSource::Options dump_options(const Tool& tool, const std::filesystem::path& option_file,
                                               bool binlog, const restore::DumpPlan& plan,
                                               std::chrono::milliseconds stall) {
    backupset::ProcessSource::Options out;
    out.name = tool.name;
    out.spawn.argv = {tool.program};
    for (auto& argument : option_file_argument(option_file)) out.spawn.argv.push_back(std::move(argument));
    // --comments and --dump-date also when the option file says otherwise: the last comment is the proof of
    // a whole dump.
    for (const char* argument :
         {"--single-transaction", "--triggers", "--hex-blob", "--comments", "--dump-date"})
        out.spawn.argv.emplace_back(argument);
    if (plan.scope.wanted.tables.empty())
        out.spawn.argv.insert(out.spawn.argv.end(), {"--routines", "--events"});
    if (binlog) out.spawn.argv.emplace_back(tool.is_oracle_dump() ? "--source-data=2" : "--master-data=2");
    // A part of a server must not claim, where it is loaded, that all its transactions were there.
    if (plan.scope.partial() && tool.is_oracle_dump()) out.spawn.argv.emplace_back("--set-gtid-purged=OFF");
    out.spawn.argv.insert(out.spawn.argv.end(), plan.arguments.begin(), plan.arguments.end());
    out.stall = stall;
    return out;
}

}  // namespace

DumpSource::DumpSource(const Tool& tool, const std::filesystem::path& option_file, bool binlog,
                       restore::DumpPlan plan, std::chrono::milliseconds stall)
    : plan_(std::move(plan)), process_(dump_options(tool, option_file, binlog, plan_, stall)) {
    if (plan_.scope.wanted.all()) return;
    announcement_ = restore::announce(plan_.scope.wanted);
    watched_.emplace(nullptr, restore::Selection{});
}

std::size_t DumpSource::read_some(char* data, std::size_t size) {
    if (announcement_.empty()) return process_.read(data, size);
    const std::size_t got = announcement_.copy(data, size);
    announcement_.erase(0, got);
    return got + (got < size ? process_.read(data + got, size - got) : 0);
}

std::size_t DumpSource::read(char* data, std::size_t size) {
    const std::size_t ours = std::min(announcement_.size(), size);
    const std::size_t got = read_some(data, size);
    if (watched_) watched_->write(data, got);
    const std::string_view bytes(data, got);
    if (head_.size() < watched) head_.append(bytes.substr(ours, watched - head_.size()));
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
    auto out = read_dump_text(head_, tail_);
    if (watched_) {
        watched_->commit();
        watched_->require_there(plan_.scope.wanted, ErrorKind::source);
    }
    return out;
}

}  // namespace strongroom::agent
