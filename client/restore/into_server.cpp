#include "client/restore/into_server.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"
#include "common/restore/sql_client.hpp"

namespace strongroom::client {
namespace {

using restore::DumpedTable;
using restore::TableName;

constexpr std::size_t asked_at_once = 200;
constexpr std::size_t shown_names = 12;

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (std::size_t i = 0; i < std::min(shown_names, names.size()); ++i)
        out += (out.empty() ? "" : ", ") + names[i];
    if (names.size() > shown_names) out += " and " + std::to_string(names.size() - shown_names) + " more";
    return out.empty() ? "none" : out;
}

// The client that takes statements only: a dump comes from a host that may be in foreign hands.
std::string sandboxed_client() {
    const auto program = find_program("mariadb");
    if (program) {
        const auto help = run_program(
            {.argv = {*program, "--no-defaults", "--help"}, .fds = {}, .environment = {}, .directory = {}});
        if (help.status.ok() && help.out.find("--sandbox") != std::string::npos) return *program;
    }
    throw Error(ErrorKind::tool_missing,
                program
                    ? "the installed mariadb client has no --sandbox, so a dump could make it start programs"
                    : "the command line client mariadb is not installed",
                "Install mariadb-client 10.11.8 or newer (it talks to MySQL, too), or use --pipe.");
}

class Loader {
  public:
    Loader(const RestoreFrom& from, const SqlFeed& feed, const restore::Selection& wanted,
           const IntoServer& into)
        : from_(from),
          feed_(feed),
          wanted_(wanted),
          into_(into),
          program_(sandboxed_client()),
          server_({"--defaults-file=" + std::filesystem::absolute(into.option_file).string()}, {}) {}

    std::vector<DumpedTable> load() {
        server_.ask("SELECT 1;", 1);  // before an hour of reading
        look();
        if (!into_.overwrite) require_free();
        send();
        require_loaded();
        return tables_;
    }

  private:
    TableName there(const TableName& name) const {
        return {into_.into_database.empty() ? name.database : into_.into_database, name.table};
    }

    restore::SplitOptions options() const { return {false, into_.into_database, into_.skip_triggers}; }

    void look() {
        from_.say("looking through all of it before the first statement is sent");
        restore::DumpSplitter look(nullptr, wanted_, options());
        feed_(look);
        for (const auto& table : look.passed())
            if (look.tables().contains(table.name)) tables_.push_back(table);
    }

    // Of the tables that are to be loaded, those that the server has, and what kind they are.
    std::map<TableName, std::string> ask_existing() const {
        std::set<std::string> databases;
        for (const auto& table : tables_) databases.insert(there(table.name).database);
        std::string in;
        for (const auto& database : databases)
            in += (in.empty() ? "" : ",") + ("CONVERT(0x" + to_hex(database) + " USING utf8mb4)");
        std::map<TableName, std::string> out;
        if (in.empty()) return out;
        for (const auto& row : server_.ask("SELECT table_schema, table_name, table_type FROM "
                                           "information_schema.tables WHERE table_schema IN (" +
                                               in + ");",
                                           3))
            out.emplace(TableName{row[0], row[1]}, row[2]);
        return out;
    }

    void require_free() const {
        const auto existing = ask_existing();
        std::vector<std::string> taken;
        std::vector<TableName> asked;
        const auto ask_rows = [&] {
            std::string sql;
            for (const auto& table : asked)
                sql += "SELECT EXISTS (SELECT 1 FROM " + quoted_name(table.database) + "." +
                       quoted_name(table.table) + " LIMIT 1);\n";
            const auto rows = server_.ask(sql, 1);
            if (rows.size() != asked.size())
                throw Error(ErrorKind::source, "the server does not say which tables are empty");
            for (std::size_t i = 0; i < rows.size(); ++i)
                if (rows[i][0] != "0") taken.push_back(asked[i].shown());
            asked.clear();
        };
        for (const auto& table : tables_) {
            const auto found = existing.find(there(table.name));
            if (found == existing.end()) continue;
            if (found->second == "BASE TABLE" || found->second == "SYSTEM VERSIONED")
                asked.push_back(found->first);
            else
                taken.push_back(found->first.shown());
            if (asked.size() == asked_at_once) ask_rows();
        }
        if (!asked.empty()) ask_rows();
        if (!taken.empty())
            throw Error(
                ErrorKind::exists, "the server has these already, and they are not empty: " + listed(taken),
                "Nothing was sent. Load them beside it with --into-database NAME, or replace them with "
                "--overwrite.");
    }

    void send() {
        backupset::ProcessTarget client(
            {.name = "mariadb",
             .spawn = {.argv = {program_,
                                "--defaults-file=" + std::filesystem::absolute(into_.option_file).string(),
                                "--batch", "--sandbox", "--default-character-set=utf8mb4"},
                       .fds = {},
                       .environment = {},
                       .directory = {}},
             .kind = ErrorKind::source});
        from_.say("loading");
        const std::string make = into_.into_database.empty() ? ""
                                                             : "CREATE DATABASE IF NOT EXISTS " +
                                                                   quoted_name(into_.into_database) + ";\n";
        // Counted as lines of the client's input.
        const std::int64_t before = std::ranges::count(make, '\n');
        client.write(make.data(), make.size());
        restore::DumpSplitter split(&client, wanted_, options());
        try {
            feed_(split);
        } catch (const Error& error) {
            throw half_loaded(error, split, before);
        }
    }

    // "ERROR 1062 (23000) at line 57: Duplicate entry"
    static std::optional<std::int64_t> line_of(const std::string& text) {
        const auto at = text.rfind(" at line ");
        if (at == std::string::npos) return std::nullopt;
        std::int64_t out = 0;
        const char* begin = text.data() + at + 9;
        if (std::from_chars(begin, text.data() + text.size(), out).ec != std::errc()) return std::nullopt;
        return out;
    }

    Error half_loaded(const Error& error, const restore::DumpSplitter& split, std::int64_t before) const {
        const auto line = line_of(error.text());
        std::vector<std::string> whole;
        std::vector<std::string> half;
        std::vector<std::string> untouched;
        const DumpedTable* at = line ? split.at_line(*line - before) : nullptr;
        std::set<TableName> sent;
        for (const auto& table : split.passed()) {
            sent.insert(table.name);
            const auto name = there(table.name).shown();
            if (line && table.line + before > *line)
                untouched.push_back(name);
            else if (line && !table.view && (at == nullptr || table.name != at->name))
                whole.push_back(name);
            else
                half.push_back(name);
        }
        for (const auto& table : tables_)
            if (!sent.contains(table.name)) untouched.push_back(there(table.name).shown());
        const std::string state = line ? "Loaded whole: " + listed(whole) + ". Half there: " + listed(half) +
                                             ". Not begun: " + listed(untouched) + "."
                                       : "The server may have all, a part or none of: " + listed(half) +
                                             ". Not begun: " + listed(untouched) + ".";
        return {error.kind(), "the load stopped: " + error.text(),
                state + " Nothing of it is undone; run it again with --overwrite once the cause is gone."};
    }

    void require_loaded() const {
        const auto existing = ask_existing();
        std::vector<std::string> missing;
        for (const auto& table : tables_)
            if (!existing.contains(there(table.name))) missing.push_back(there(table.name).shown());
        if (!missing.empty())
            throw Error(ErrorKind::source,
                        "the client ended with success, but the server does not show " + listed(missing),
                        "May its account see them? Names may have changed (lower_case_table_names).");
    }

    const RestoreFrom& from_;
    const SqlFeed& feed_;
    const restore::Selection& wanted_;
    const IntoServer& into_;
    const std::string program_;
    const restore::SqlClient server_;
    std::vector<DumpedTable> tables_;  // that are to be loaded
};

}  // namespace

std::vector<DumpedTable> restore_into_server(const RestoreFrom& from, const SqlFeed& feed,
                                             const restore::Selection& wanted, const IntoServer& into) {
    try {
        require_private_file(into.option_file);
    } catch (const Error& error) {
        throw error.with_context("--defaults-file");
    }
    return Loader(from, feed, wanted, into).load();
}

}  // namespace strongroom::client
