#include "agent/logs/log_reader.hpp"

#include "agent/source/mysql_client.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

// A server ends the older of two replicas with one id, so this one must not meet a real one's: 30 bits of the
// server's UUID, over what people choose.
std::string replica_id(const std::string& server) {
    const auto part = std::stoul(server.substr(0, 8), nullptr, 16);
    return std::to_string(0x40000000UL | (part & 0x3fffffffUL));
}

}  // namespace

std::string log_reader_program() {
    for (const char* name : {"mariadb-binlog", "mysqlbinlog"})
        if (const auto found = find_program(name)) return *found;
    throw Error(ErrorKind::tool_missing, "neither mariadb-binlog nor mysqlbinlog is installed",
                "Install mariadb-client, or your server's client package.");
}

LogReader::LogReader(const std::filesystem::path& option_file, const std::filesystem::path& folder,
                     const std::string& file, bool follow, const std::string& server)
    : said_("log reader"), follow_(follow) {
    SpawnOptions options;
    if (const auto tie = find_program("setpriv")) options.argv = {*tie, "--pdeathsig", "TERM"};
    options.argv.push_back(log_reader_program());
    for (auto& argument : option_file_argument(option_file)) options.argv.push_back(std::move(argument));
    for (std::string argument : {std::string("--read-from-remote-server"), std::string("--raw"),
                                 "--result-file=" + folder.string() + "/"})
        options.argv.push_back(std::move(argument));
    if (follow) {
        options.argv.emplace_back("--stop-never");
        options.argv.push_back("--stop-never-slave-server-id=" + replica_id(server));
    }
    options.argv.push_back(file);
    options.fds = {{1, said_.fd()}, {2, said_.fd()}};
    process_.emplace(options);
}

bool LogReader::ended() {
    const auto status = process_->wait_for(std::chrono::milliseconds(0));
    if (!status) return false;
    if (status->ok() && !follow_) return true;
    said_.map_all();
    throw Error(ErrorKind::source, "reading the binary log ended, " + status->describe() + ": " +
                                       printable_line(last_line(said_.view()), 400));
}

}  // namespace strongroom::agent
