#include "agent/source/dump_scope.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

template <class Read>
auto read_names(const std::string& key, const std::vector<std::string>& texts, Read read) {
    std::vector<decltype(read(std::string_view()))> out;
    for (const auto& text : texts) {
        try {
            out.push_back(read(text));
        } catch (const Error& error) {
            throw Error(ErrorKind::config, key + ": " + error.text(), error.hint());
        }
        if (std::ranges::count(out, out.back()) > 1)
            throw Error(ErrorKind::config, key + ": " + printable_line(text, 100) + " is named twice");
    }
    return out;
}

}  // namespace

restore::DumpScope dump_scope(const AgentConfig& config) {
    const DumpConfig& part = config.dump;
    if (part.partial() && config.source != "auto" && config.source != "mariadb-dump" &&
        config.source != "mysqldump" && config.source != "mydumper")
        throw Error(
            ErrorKind::config,
            "databases, tables and exclude-tables are for dumps, but source is \"" + config.source + "\"",
            "Set source = \"mariadb-dump\". A physical backup always holds the whole server.");
    if (!part.databases.empty() && !part.tables.empty())
        throw Error(ErrorKind::config, "databases and tables are both set",
                    "Name whole databases, or tables: a table of a whole database is in it anyway.");
    if (!part.tables.empty() && !part.exclude_tables.empty())
        throw Error(ErrorKind::config, "tables and exclude-tables are both set",
                    "Only the tables that are named are backed up: leave out the others there.");
    restore::DumpScope out;
    out.wanted.databases = read_names("databases", part.databases, restore::parse_database_name);
    out.wanted.tables = read_names("tables", part.tables, restore::parse_table_name);
    out.excluded = read_names("exclude-tables", part.exclude_tables, restore::parse_table_name);
    for (const auto& table : out.excluded)
        if (!out.wanted.all() && !out.wanted.touches(table.database))
            throw Error(ErrorKind::config, "exclude-tables: " + table.shown() +
                                               " is in none of the databases that are backed up");
    return out;
}

}  // namespace strongroom::agent
