#include "agent/source/mysql_client.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::agent {
namespace {

constexpr const char* questions =
    "SELECT VERSION(); SELECT CURRENT_USER(); SELECT @@global.datadir; SELECT @@global.log_bin; SHOW GRANTS;";

std::string join(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
    return out;
}

// The client repeats the statement before the server's words.
std::string error_line(const std::string& text) {
    const auto error = text.find("ERROR ");
    const std::string rest = error == std::string::npos ? text : text.substr(error);
    return rest.substr(0, rest.find('\n'));
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return std::string(text);
}

}  // namespace

std::vector<std::string> option_file_argument(const std::filesystem::path& option_file) {
    if (option_file.empty()) return {};
    return {"--defaults-file=" + option_file.string()};
}

std::string ask_mysql(const std::filesystem::path& option_file, const std::string& sql, MysqlRows rows) {
    const auto client = find_program("mariadb") ? find_program("mariadb") : find_program("mysql");
    if (!client)
        throw Error(ErrorKind::tool_missing,
                    "neither mariadb nor mysql (the command line client) is installed",
                    "Install mariadb-client, or your server's client package.");
    SpawnOptions options;
    options.argv = {*client};
    for (auto& argument : option_file_argument(option_file)) options.argv.push_back(std::move(argument));
    for (const char* argument : {"--batch", "--connect-timeout=10"}) options.argv.emplace_back(argument);
    if (rows == MysqlRows::plain) options.argv.emplace_back("--skip-column-names");
    const RunResult answer = run_program(options, sql, std::chrono::seconds(30), 1U << 20U);
    if (!answer.status.ok())
        throw Error(ErrorKind::source, "MySQL does not answer: " + printable_line(error_line(answer.err)),
                    "See whether the server runs, and user, password and socket in mysql-option-file.");
    return answer.out;
}

MysqlServer ask_server(const std::filesystem::path& option_file) {
    std::istringstream lines(ask_mysql(option_file, questions));
    MysqlServer out;
    std::string datadir;
    std::string log_bin;
    if (!std::getline(lines, out.version) || !std::getline(lines, out.account) ||
        !std::getline(lines, datadir) || !std::getline(lines, log_bin))
        throw Error(ErrorKind::source, "MySQL's answers are incomplete");
    out.datadir = datadir;
    out.log_bin = log_bin == "1";
    out.privileges = global_privileges(std::string(std::istreambuf_iterator<char>(lines), {}));
    return out;
}

std::set<std::string> global_privileges(const std::string& show_grants) {
    std::set<std::string> out;
    std::istringstream lines(show_grants);
    for (std::string line; std::getline(lines, line);) {
        const auto end = line.find(" ON *.* TO ");
        if (!line.starts_with("GRANT ") || end == std::string::npos) continue;
        std::istringstream names(line.substr(6, end - 6));
        for (std::string name; std::getline(names, name, ',');) {
            std::ranges::transform(name, name.begin(),
                                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
            if (const std::string clean = trimmed(name); clean != "USAGE") out.insert(clean);
        }
    }
    return out;
}

std::vector<std::string> missing_privileges(const std::set<std::string>& held,
                                            const std::vector<std::string>& needed) {
    // MariaDB 10.5 renamed REPLICATION CLIENT; both mean SHOW MASTER STATUS.
    const auto is_held = [&](const std::string& name) {
        if (held.contains("ALL PRIVILEGES") || held.contains("ALL") || held.contains(name)) return true;
        if (name == "BINLOG MONITOR") return held.contains("REPLICATION CLIENT");
        if (name == "REPLICATION CLIENT") return held.contains("BINLOG MONITOR");
        return false;
    };
    std::vector<std::string> out;
    std::ranges::copy_if(needed, std::back_inserter(out), [&](const auto& name) { return !is_held(name); });
    return out;
}

std::string grant_statement(const std::vector<std::string>& missing, const std::string& account) {
    const auto at = account.rfind('@');
    const std::string user = account.substr(0, at);
    const std::string host = at == std::string::npos ? "%" : account.substr(at + 1);
    return "GRANT " + join(missing) + " ON *.* TO " + quoted_name(user) + "@" + quoted_name(host) + ";";
}

void require_privileges(const MysqlServer& server, const std::vector<std::string>& needed,
                        const std::string& tool) {
    const auto missing = missing_privileges(server.privileges, needed);
    if (missing.empty()) return;
    throw Error(ErrorKind::source,
                "MySQL account " + server.account + " lacks " + join(missing) + ", which " + tool + " needs",
                "Run as a MySQL administrator: " + grant_statement(missing, server.account));
}

}  // namespace strongroom::agent
