#include "common/restore/dump_plan.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

constexpr std::size_t max_arguments = 1U << 20U;  // bytes; Linux takes twice that

// The databases that a dump of this scope reads; empty: all of the server.
std::vector<std::string> databases_of(const DumpScope& scope) {
    const auto out = scope.wanted.touched();
    return {out.begin(), out.end()};
}

// As a condition on the column; what the server's collation takes for equal, the caller still tells apart.
std::string in_these(const std::vector<std::string>& databases) {
    std::string out;
    for (const auto& database : databases)
        out += (out.empty() ? "" : ",") + ("CONVERT(0x" + to_hex(database) + " USING utf8mb4)");
    return " IN (" + out + ")";
}

std::vector<TableName> ask_tables(const SqlClient& server, const std::vector<std::string>& databases) {
    std::vector<TableName> out;
    for (auto& row : server.ask("SELECT table_schema, table_name FROM information_schema.tables WHERE "
                                "table_schema" +
                                    in_these(databases) + ";",
                                2))
        if (std::ranges::find(databases, row[0]) != databases.end())
            out.push_back({std::move(row[0]), std::move(row[1])});
    return out;
}

void require_databases(const SqlClient& server, const std::vector<std::string>& wanted) {
    std::vector<std::string> there;
    for (auto& row : server.ask("SELECT schema_name FROM information_schema.schemata;", 1))
        there.push_back(std::move(row[0]));
    for (const auto& database : wanted)
        if (std::ranges::find(there, database) == there.end())
            throw Error(
                ErrorKind::source,
                "the server has no database " + printable_line(database, 100) + ", or does not show it",
                "It shows: " + nearest_names(database, there));
}

void require_tables(const std::vector<TableName>& wanted, const std::vector<TableName>& there) {
    for (const auto& table : wanted) {
        if (std::ranges::find(there, table) != there.end()) continue;
        std::vector<std::string> names;
        for (const auto& one : there) names.push_back(written_name(one));
        const auto near = nearest_names(written_name(table), std::move(names));
        throw Error(ErrorKind::source, "the server has no table " + table.shown() + ", or does not show it",
                    near.empty() ? "It shows no table in that database." : "It shows: " + near);
    }
}

std::string ignore(const TableName& table) {
    return "--ignore-table=" + table.database + "." + table.table;
}

}  // namespace

bool DumpScope::holds(const TableName& name) const {
    return (wanted.all() || wanted.holds(name)) && std::ranges::find(excluded, name) == excluded.end();
}

DumpPlan plan_dump(const SqlClient& server, DumpScope scope) {
    DumpPlan out;
    std::vector<std::string> databases = databases_of(scope);
    require_databases(server, databases);
    if (!scope.wanted.tables.empty()) {
        const auto there = ask_tables(server, databases);
        require_tables(scope.wanted.tables, there);
        for (const auto& table : there)
            if (!scope.wanted.holds(table)) out.arguments.push_back(ignore(table));
    }
    for (const auto& table : scope.excluded) {
        const auto there = ask_tables(server, {table.database});
        if (std::ranges::find(there, table) == there.end()) out.not_there.push_back(table.shown());
        out.arguments.push_back(ignore(table));
    }
    std::size_t size = 0;
    for (const auto& argument : out.arguments) size += argument.size() + sizeof(char*);
    if (size > max_arguments)
        throw Error(ErrorKind::config, "there are too many other tables to leave out of the dump",
                    "Back up whole databases (databases), or use source = \"command\".");
    if (scope.wanted.all()) {
        out.arguments.emplace_back("--all-databases");
    } else {
        // Behind "--" a name is a name, also one that looks like an option.
        out.arguments.insert(out.arguments.end(), {"--databases", "--"});
        out.arguments.insert(out.arguments.end(), databases.begin(), databases.end());
    }
    out.scope = std::move(scope);
    return out;
}

std::int64_t ask_dump_length(const SqlClient& server, const DumpScope& scope) {
    std::string where = "table_schema NOT IN ('information_schema', 'performance_schema', 'sys')";
    if (!scope.wanted.all()) where = "table_schema" + in_these(databases_of(scope));
    std::int64_t sum = 0;
    for (const auto& row : server.ask("SELECT table_schema, table_name, IFNULL(data_length, 0) FROM "
                                      "information_schema.tables WHERE table_type = 'BASE TABLE' AND " +
                                          where + ";",
                                      3)) {
        std::int64_t length = 0;
        std::from_chars(row[2].data(), row[2].data() + row[2].size(), length);
        if (scope.holds({row[0], row[1]})) sum += std::max<std::int64_t>(0, length);
    }
    return sum;
}

}  // namespace strongroom::restore
