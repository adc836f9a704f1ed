// Questions to the MySQL server, asked through its own command line client, so that the credentials stay in
// the option file and no client library is linked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"

namespace strongroom::agent {

struct MysqlServer {
    std::string version;  // "10.11.19-MariaDB-0+deb12u1-log"
    std::string account;  // CURRENT_USER(): "backup@localhost"
    std::filesystem::path datadir;
    bool log_bin = false;
    std::set<std::string> privileges;  // on *.*, upper case; "ALL PRIVILEGES" stands for all

    bool is_mariadb() const { return version.find("MariaDB") != std::string::npos; }
};

// First argument of every MySQL program; empty when there is no option file.
std::vector<std::string> option_file_argument(const std::filesystem::path& option_file);

// Runs statements and returns their rows: columns by tab, rows by newline, no header (line breaks inside a
// value are escaped, as --batch does). At most 1 MiB, 30 s. Throws Error{tool_missing} without a client,
// Error{source} with the server's words.
enum class MysqlRows { plain, with_header };  // of each result that has rows: its columns' names first
std::string ask_mysql(const std::filesystem::path& option_file, const std::string& sql,
                      MysqlRows rows = MysqlRows::plain);

// Asks what the server is. Throws as ask_mysql().
MysqlServer ask_server(const std::filesystem::path& option_file);

// The privileges on *.* in the output of SHOW GRANTS, upper case.
std::set<std::string> global_privileges(const std::string& show_grants);

// Those of `needed` that are missing; knows ALL PRIVILEGES and names that mean the same.
std::vector<std::string> missing_privileges(const std::set<std::string>& held,
                                            const std::vector<std::string>& needed);

// The statement that an administrator has to run: "GRANT RELOAD, PROCESS ON *.* TO `backup`@`localhost`;"
std::string grant_statement(const std::vector<std::string>& missing, const std::string& account);

// Throws Error{source} with the exact GRANT as its hint if one of `needed` is missing.
void require_privileges(const MysqlServer& server, const std::vector<std::string>& needed,
                        const std::string& tool);

}  // namespace strongroom::agent
