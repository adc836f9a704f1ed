#include "common/restore/table_name.hpp"

#include <algorithm>
#include <numeric>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

constexpr std::size_t longest_name = 64;     // characters
constexpr std::size_t compared_length = 64;  // bytes

[[noreturn]] void refuse_name(std::string_view text, const std::string& why) {
    throw Error(
        ErrorKind::usage, "\"" + printable_line(text, 100) + "\" is no name: " + why,
        "A table is named DATABASE.TABLE, literally; names with dots or backquotes like `my.db`.`t`.");
}

void require_name(std::string_view text, const std::string& name) {
    if (name.empty()) refuse_name(text, "a part of it is empty");
    if (!is_valid_utf8(name)) refuse_name(text, "it is not UTF-8");
    if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        refuse_name(text, "it has control characters");
    const auto characters = std::ranges::count_if(name, [](unsigned char c) { return (c & 0xc0U) != 0x80U; });
    if (characters > static_cast<std::ptrdiff_t>(longest_name))
        refuse_name(text, "it has more than 64 characters");
    if (name.back() == ' ') refuse_name(text, "it ends with a blank");
}

// Takes one part from the front: quoted, or up to the first dot if `dots_end_it`.
std::string take_part(std::string_view whole, std::string_view& rest, bool dots_end_it) {
    std::string out;
    if (rest.starts_with('`')) {
        rest.remove_prefix(1);
        for (;;) {
            const auto end = rest.find('`');
            if (end == std::string_view::npos) refuse_name(whole, "a backquote is not closed");
            out += rest.substr(0, end);
            rest.remove_prefix(end + 1);
            if (!rest.starts_with('`')) break;
            out += '`';
            rest.remove_prefix(1);
        }
    } else {
        const auto end = dots_end_it ? rest.find('.') : std::string_view::npos;
        out = rest.substr(0, end);
        rest.remove_prefix(out.size());
        if (out.find('`') != std::string::npos) refuse_name(whole, "it has a backquote outside of quotes");
    }
    require_name(whole, out);
    return out;
}

void require_data(std::string_view text, std::string database) {
    std::ranges::transform(database, database.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    if (database == "information_schema" || database == "performance_schema")
        refuse_name(text, "the server's own views hold no data");
}

std::size_t distance(std::string_view a, std::string_view b) {
    a = a.substr(0, compared_length);
    b = b.substr(0, compared_length);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t corner = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = corner + (a[i] == b[j] ? 0 : 1);
            corner = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, corner + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string TableName::shown() const {
    return printable_line(written_name(*this), 200);
}

bool Selection::holds(const TableName& name) const {
    return holds_whole(name.database) || std::ranges::find(tables, name) != tables.end();
}

bool Selection::holds_whole(const std::string& database) const {
    return std::ranges::find(databases, database) != databases.end();
}

bool Selection::touches(const std::string& database) const {
    return holds_whole(database) ||
           std::ranges::any_of(tables, [&](const TableName& name) { return name.database == database; });
}

std::set<std::string> Selection::touched() const {
    std::set<std::string> out(databases.begin(), databases.end());
    for (const auto& table : tables) out.insert(table.database);
    return out;
}

TableName parse_table_name(std::string_view text) {
    TableName out;
    std::string_view rest = text;
    out.database = take_part(text, rest, true);
    if (!rest.starts_with('.')) refuse_name(text, "it does not name a database and a table");
    rest.remove_prefix(1);
    out.table = take_part(text, rest, true);
    if (!rest.empty()) refuse_name(text, "something follows the table");
    require_data(text, out.database);
    return out;
}

std::string parse_database_name(std::string_view text) {
    std::string_view rest = text;
    std::string out = take_part(text, rest, false);
    if (!rest.empty()) refuse_name(text, "something follows the database");
    require_data(text, out);
    return out;
}

std::string written_name(std::string_view part) {
    if (part.find_first_of(".`") == std::string_view::npos && !part.empty()) return std::string(part);
    std::string out = "`";
    for (const char c : part) out += c == '`' ? std::string("``") : std::string(1, c);
    return out + "`";
}

std::string written_name(const TableName& name) {
    return written_name(name.database) + "." + written_name(name.table);
}

std::string nearest_names(const std::string& wanted, std::vector<std::string> there, std::size_t most) {
    std::ranges::stable_sort(there, {}, [&](const std::string& name) { return distance(wanted, name); });
    std::string out;
    for (std::size_t i = 0; i < std::min(most, there.size()); ++i)
        out += (out.empty() ? "" : ", ") + printable_line(there[i], 150);
    return out;
}

void require_held(const Selection& wanted, const std::set<std::string>& databases,
                  const std::set<TableName>& tables, ErrorKind kind) {
    for (const auto& database : wanted.databases) {
        if (databases.contains(database)) continue;
        const auto near = nearest_names(database, {databases.begin(), databases.end()});
        throw Error(kind, "the dump holds no database " + printable_line(database, 100),
                    near.empty() ? "It holds none at all." : "It holds: " + near);
    }
    for (const auto& table : wanted.tables) {
        if (tables.contains(table)) continue;
        std::vector<std::string> there;
        for (const auto& one : tables) there.push_back(written_name(one));
        const auto near = nearest_names(written_name(table), std::move(there));
        throw Error(kind, "the dump holds no table " + table.shown(),
                    near.empty() ? "It holds none at all."
                                 : "It holds " + std::to_string(tables.size()) + ", the nearest: " + near);
    }
}

}  // namespace strongroom::restore
