#include "agent/logs/server_log.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "agent/source/mysql_client.hpp"
#include "common/backupset/manifest.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

// The time first: whatever was committed before it is in the log that is named after it.
constexpr const char* log_questions =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED), @@server_id, VERSION(); SHOW MASTER STATUS; "
    "SHOW "
    "BINARY LOGS;";

std::vector<std::string> columns_of(const std::string& line) {
    std::vector<std::string> out;
    std::istringstream text(line);
    for (std::string column; std::getline(text, column, '\t');) out.push_back(column);
    return out;
}

std::int64_t number_in(const std::string& text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || out < 0)
        throw Error(ErrorKind::source, "the server's answer about its binary log has \"" +
                                           printable_line(text, 40) + "\" where a number belongs");
    return out;
}

const std::string& name_in(const std::string& text) {
    if (!backupset::is_log_file(text))
        throw Error(ErrorKind::config, "the binary log has the name \"" + printable_line(text, 200) + "\"",
                    "Names of letters, digits and _ . - are taken: set log-bin (and log-basename) so.");
    return text;
}

}  // namespace

const ServerLog::File* ServerLog::find(const std::string& name) const {
    const auto found = std::ranges::find(files, name, &File::name);
    return found == files.end() ? nullptr : &*found;
}

ServerLog read_server_log(const std::string& answer) {
    std::istringstream lines(answer);
    const auto next = [&](std::size_t least) {
        std::string line;
        if (!std::getline(lines, line) || columns_of(line).size() < least)
            throw Error(ErrorKind::source, "the server's answer about its binary log is incomplete");
        return columns_of(line);
    };
    ServerLog out;
    const auto who = next(3);
    out.now = from_millis(number_in(who[0]));
    out.server_id = number_in(who[1]);
    out.version = who[2];
    const auto status = next(2);
    out.file = name_in(status[0]);
    out.offset = number_in(status[1]);
    for (std::string line; std::getline(lines, line);) {
        const auto file = columns_of(line);
        if (file.size() < 2) throw Error(ErrorKind::source, "the server's list of binary logs is incomplete");
        out.files.push_back({name_in(file[0]), number_in(file[1])});
    }
    if (out.find(out.file) == nullptr)
        throw Error(ErrorKind::source, "the server's list of binary logs lacks the one that it writes to");
    return out;
}

ServerLog ask_server_log(const std::filesystem::path& option_file) {
    if (ask_mysql(option_file, "SELECT @@log_bin;") != "1\n")
        throw Error(ErrorKind::config, "the server writes no binary log",
                    "Set log-bin (and binlog-format=ROW) in its configuration, or log-stream = false.");
    return read_server_log(ask_mysql(option_file, log_questions));
}

}  // namespace strongroom::agent
