#include "agent/source/mydumper_source.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/source/mysql_client.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "common/restore/mydumper_file.hpp"
#include "common/restore/server_folder.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t least_memory = 16LL << 20;
constexpr std::size_t piece = 1U << 20U;
constexpr std::size_t max_account = 1U << 20U;

const fs::path& with_space(const fs::path& folder) {
    if (!fs::is_directory(folder))
        throw Error(ErrorKind::config, "mydumper-folder: there is no folder " + folder.string(),
                    "Name one in memory, such as /dev/shm.");
    restore::remove_abandoned_folders(folder);
    if (const auto free = restore::free_bytes(folder); free < 2 * least_memory)
        throw Error(ErrorKind::storage,
                    "not enough space: mydumper's files wait in " + folder.string() + ", where " +
                        std::to_string(free >> 20) + " MiB are free",
                    "Free memory there, or set mydumper-folder.");
    return folder;
}

// Half of what is free is for files that nobody can hold back: one statement can be as long as a row.
std::int64_t memory_for(const AgentConfig& config) {
    return std::min(config.dump.mydumper_memory, restore::free_bytes(config.dump.mydumper_folder) / 2);
}

// Whether a connection of our account is at work, other than a stream of the binary log.
bool asks_something(const restore::SqlClient& client) {
    const auto rows = client.ask(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = SUBSTRING_INDEX(USER(), '@', 1) "
        "AND id "
        "<> CONNECTION_ID() AND command NOT IN ('Sleep', 'Binlog Dump');",
        1);
    return rows.size() != 1 || rows[0][0] != "0";
}

MydumperProcess::Options process_options(const AgentConfig& config, const Tool& tool,
                                         const MydumperPlan& plan, const fs::path& folder,
                                         const restore::SqlClient& client) {
    MydumperProcess::Options out;
    out.folder = folder;
    out.memory = memory_for(config);
    out.stall = std::chrono::seconds(config.source_timeout);
    out.asks_something = [client] { return asks_something(client); };
    // All threads' unfinished files together take no more than half of the memory.
    const auto threads = config.dump.mydumper_threads;
    const auto chunk = std::clamp<std::int64_t>((out.memory >> 20) / (2 * threads), 1, 64);
    out.argv = {tool.program};
    for (auto& argument : option_file_argument(config.mysql_option_file))
        out.argv.push_back(std::move(argument));
    for (const std::string& argument :
         {"--outputdir=" + folder.string(), "--threads=" + std::to_string(threads),
          "--chunk-filesize=" + std::to_string(chunk), std::string("--trx-consistency-only"),
          std::string("--build-empty-files"), std::string("--verbose=2")})
        out.argv.push_back(argument);
    out.argv.insert(out.argv.end(), plan.arguments.begin(), plan.arguments.end());
    return out;
}

}  // namespace

MydumperSource::MydumperSource(const AgentConfig& config, const Tool& tool, restore::SqlClient client,
                               MydumperPlan plan, std::string server)
    : client_(std::move(client)),
      plan_(std::move(plan)),
      server_(std::move(server)),
      folder_(with_space(config.dump.mydumper_folder), "mydumper"),
      process_(process_options(config, tool, plan_, folder_.path(), client_)),
      buffer_(piece, '\0') {}

std::size_t MydumperSource::read(char* data, std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
        if (at_ == out_.size() && !more()) break;
        const std::size_t got = out_.copy(data + done, size - done, at_);
        at_ += got;
        done += got;
    }
    return done;
}

// The next piece of the stream; false at its end.
bool MydumperSource::more() {
    at_ = 0;
    out_.clear();
    while (out_.empty() && !ended_) {
        if (file_) {
            go_on();
        } else if (auto file = process_.next()) {
            begin(std::move(*file));
        } else {
            tar_.finish();
            ended_ = true;
        }
        out_ = tar_.take();
    }
    return !out_.empty();
}

void MydumperSource::begin(MydumperProcess::File file) {
    const auto known = restore::read_mydumper_name(file.name);
    if (!known)
        throw Error(ErrorKind::source, "mydumper wrote the file " + printable_line(file.name, 200) +
                                           ", which is not known here");
    using Part = restore::MydumperFile::Part;
    found_.insert(*known);
    if (known->part == Part::metadata && file.size > static_cast<std::int64_t>(max_account))
        throw Error(ErrorKind::source, "mydumper's metadata is longer than 1 MiB");
    tar_.begin(file.name, file.size, SystemClock().now());
    file_ = std::move(file);
    done_ = 0;
}

void MydumperSource::go_on() {
    if (done_ == file_->size) {
        tar_.end();
        process_.release(*file_);
        file_.reset();
        return;
    }
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(piece, file_->size - done_));
    const ssize_t got = ::pread(file_->fd.get(), buffer_.data(), wanted, done_);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0)
        throw system_error(ErrorKind::source, "cannot read mydumper's file " + printable_line(file_->name),
                           got < 0 ? errno : EIO);
    const BytesView bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (file_->name == "metadata") account_.append(bytes);
    tar_.add(bytes);
    done_ += got;
}

backupset::Source::Facts MydumperSource::finish() {
    if (!ended_) throw Error(ErrorKind::internal, "mydumper's stream was not read to its end");
    Facts out;
    try {
        out.position = restore::read_mydumper_account(account_).position;
    } catch (const Error& error) {
        throw Error(ErrorKind::source, error.text(), "The dump is not complete. See the MySQL error log.");
    }
    require_dumped(client_, plan_, found_);
    out.server_version = printable_line(server_, 100);
    return out;
}

}  // namespace strongroom::agent
