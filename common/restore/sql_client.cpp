#include "common/restore/sql_client.hpp"

#include <chrono>
#include <cstring>
#include <optional>

#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::restore {

std::vector<SqlRow> parse_rows(std::string_view text) {
    std::vector<SqlRow> out;
    SqlRow row;
    std::string column;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\t' || c == '\n') {
            row.push_back(std::move(column));
            column.clear();
            if (c == '\t') continue;
            out.push_back(std::move(row));
            row.clear();
        } else if (c == '\\') {
            const char escaped = ++at < text.size() ? text[at] : ' ';
            if (escaped == 't')
                column += '\t';
            else if (escaped == 'n')
                column += '\n';
            else if (escaped == '0')
                column += '\0';
            else if (escaped == '\\')
                column += '\\';
            else
                throw Error(ErrorKind::protocol, "the database client wrote an unknown escape");
        } else {
            column += c;
        }
    }
    if (!row.empty() || !column.empty())
        throw Error(ErrorKind::protocol, "the database client's answer ends within a row");
    return out;
}

SqlClient::SqlClient(std::vector<std::string> connection, std::function<void()> idle)
    : connection_(std::move(connection)), idle_(std::move(idle)) {}

std::vector<SqlRow> SqlClient::ask(const std::string& statements) const {
    const auto client = find_program("mariadb") ? find_program("mariadb") : find_program("mysql");
    if (!client)
        throw Error(ErrorKind::tool_missing, "the command line client mariadb is not installed",
                    "Install Debian's package mariadb-client.");
    SpawnOptions options;
    options.argv = {*client};
    for (const auto& argument : connection_) options.argv.push_back(argument);
    for (const char* argument :
         {"--batch", "--skip-column-names", "--connect-timeout=10", "--default-character-set=utf8mb4"})
        options.argv.emplace_back(argument);
    MemFile in("sql", statements.size());
    if (!statements.empty()) std::memcpy(in.data(), statements.data(), statements.size());
    in.rewind();
    MemFile out("rows");
    MemFile err("messages");
    options.fds = {{0, in.fd()}, {1, out.fd()}, {2, err.fd()}};
    Subprocess child(options);
    std::optional<ExitStatus> status;
    while (!(status = child.wait_for(std::chrono::milliseconds(200))))
        if (idle_) idle_();
    out.map_all();
    err.map_all();
    if (!status->ok()) {
        throw Error(ErrorKind::source,
                    "SQL failed, " + status->describe() + ": " + printable_line(last_line(err.view()), 400));
    }
    return parse_rows(out.view());
}

std::vector<SqlRow> SqlClient::ask(const std::string& statements, std::size_t columns) const {
    auto out = ask(statements);
    for (const auto& row : out)
        if (row.size() != columns)
            throw Error(ErrorKind::source, "the database answered with a row of " +
                                               std::to_string(row.size()) + " columns where " +
                                               std::to_string(columns) + " were asked for");
    return out;
}

}  // namespace strongroom::restore
