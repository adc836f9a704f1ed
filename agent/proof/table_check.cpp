#include "agent/proof/table_check.hpp"

#include <algorithm>
#include <set>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"

namespace strongroom::agent {
namespace {

constexpr const char* marker = "strongroom-table";
constexpr std::size_t tables_at_once = 50;

constexpr const char* all_tables =
    "SELECT table_schema, table_name, IF(table_type = 'SEQUENCE', table_type, IFNULL(engine, '')) FROM "
    "information_schema.tables WHERE table_type NOT IN "
    "('VIEW', 'SYSTEM VIEW') AND table_schema NOT IN ('information_schema', 'performance_schema') ORDER BY "
    "1, 2;";

// Said of MyISAM and Aria tables that were open when they were copied; CHECK TABLE then reads all of them,
// and only its last word counts.
bool is_about_open_tables(const restore::SqlRow& row) {
    return row[2] == "warning" &&
           (row[3].ends_with("client is using or hasn't closed the table properly") ||
            row[3].ends_with("clients are using or haven't closed the table properly"));
}

bool is_without_check(const restore::SqlRow& row) {
    return row[2] == "note" && row[3] == "The storage engine for the table doesn't support check";
}

void judge(const Table& table, const std::vector<restore::SqlRow>& said, TableCheck& out) {
    if (said.empty()) throw Error(ErrorKind::source, "CHECK TABLE did not answer for " + table.shown());
    if (said.size() == 1 && is_without_check(said.front())) {
        ++out.not_checkable;
        return;
    }
    const bool ok = said.back()[2] == "status" && said.back()[3] == "OK" &&
                    std::all_of(said.begin(), said.end() - 1, is_about_open_tables);
    if (ok) {
        ++out.checked;
        return;
    }
    ++out.bad;
    if (out.problems.size() >= max_problems) return;
    std::string text;
    for (const auto& row : said) text += (text.empty() ? "" : "; ") + row[2] + ": " + row[3];
    out.problems.push_back("table " + table.shown() + ": " + printable_line(text, 300));
}

}  // namespace

std::string Table::shown() const {
    return printable_line(schema + "." + name, 200);
}

std::vector<Table> list_tables(const restore::SqlClient& client) {
    std::vector<Table> out;
    for (auto& row : client.ask(all_tables, 3))
        out.push_back({std::move(row[0]), std::move(row[1]), std::move(row[2])});
    return out;
}

std::string dictionary_table(const std::string& name) {
    const auto slash = name.find('/');
    const std::string table = name.substr(0, std::min(name.find("#P#"), name.find("#p#")));
    if (slash == std::string::npos || table.find_first_of("#@") != std::string::npos ||
        table.find("/FTS_") != std::string::npos)
        return {};
    return table.substr(0, slash) + "." + table.substr(slash + 1);
}

std::vector<std::string> lost_definitions(const restore::SqlClient& client,
                                          const std::vector<Table>& tables) {
    std::set<std::string> known;
    for (const auto& table : tables) known.insert(table.schema + "." + table.name);
    std::vector<std::string> out;
    for (const auto& row :
         client.ask("SELECT name FROM information_schema.innodb_sys_tables ORDER BY 1;", 1)) {
        const auto table = dictionary_table(row.front());
        if (table.empty() || known.contains(table)) continue;
        known.insert(table);  // once, however many partitions
        out.push_back("table " + printable_line(table, 200) +
                      ": InnoDB knows it, but its definition is gone");
    }
    return out;
}

std::string check_statements(const std::vector<Table>& tables) {
    std::string out;
    for (std::size_t i = 0; i < tables.size(); ++i)
        out += "SELECT '" + std::string(marker) + "', " + std::to_string(i) + "; CHECK TABLE " +
               quoted_name(tables[i].schema, tables[i].name) + ";\n";
    return out;
}

void read_check(const std::vector<Table>& tables, const std::vector<restore::SqlRow>& rows, TableCheck& out) {
    std::size_t next = 0;  // table whose marker comes next
    std::vector<restore::SqlRow> said;
    for (const auto& row : rows) {
        if (row.size() == 2 && row[0] == marker) {
            if (next >= tables.size() || row[1] != std::to_string(next))
                throw Error(ErrorKind::source, "CHECK TABLE's answers are out of order");
            if (next > 0) judge(tables[next - 1], said, out);
            said.clear();
            ++next;
        } else if (row.size() == 4 && next > 0 && row[1] == "check" &&
                   row[0] == tables[next - 1].schema + "." + tables[next - 1].name) {
            said.push_back(row);
        } else {
            throw Error(ErrorKind::source, "CHECK TABLE's answer is not understood");
        }
    }
    if (next != tables.size())
        throw Error(ErrorKind::source, "CHECK TABLE answered for " + std::to_string(next) + " of " +
                                           std::to_string(tables.size()) + " tables");
    if (next > 0) judge(tables[next - 1], said, out);
}

TableCheck check_tables(const restore::SqlClient& client, const std::vector<Table>& tables,
                        const OnTables& on_done) {
    TableCheck out;
    for (std::size_t at = 0; at < tables.size(); at += tables_at_once) {
        const auto begin = tables.begin() + static_cast<std::ptrdiff_t>(at);
        const std::vector<Table> some(
            begin, begin + static_cast<std::ptrdiff_t>(std::min(tables_at_once, tables.size() - at)));
        read_check(some, client.ask(check_statements(some)), out);
        if (on_done) on_done(at + some.size());
    }
    return out;
}

}  // namespace strongroom::agent
