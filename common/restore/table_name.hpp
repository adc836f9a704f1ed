// Names of databases and tables as people write them in a configuration or on a command line.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace strongroom::restore {

struct TableName {
    std::string database;
    std::string table;
    auto operator<=>(const TableName&) const = default;
    std::string shown() const;  // "shop.orders", fit for an error text
};

// What of a dump is wanted: these tables (views and sequences are such, too), and everything of these
// databases. Neither: all of it.
struct Selection {
    std::vector<std::string> databases;
    std::vector<TableName> tables;
    bool all() const { return databases.empty() && tables.empty(); }
    bool holds(const TableName& name) const;
    // Whether it is named as a whole.
    bool holds_whole(const std::string& database) const;
    // Whether anything of it is wanted.
    bool touches(const std::string& database) const;
    // Those of which anything is wanted; none if all is.
    std::set<std::string> touched() const;
};

// "shop.orders", or "`my.shop`.`or``ders`" for names with dots and backquotes. A name is taken literally: it
// has no wildcards. Throws Error{usage} unless it is a name that a server could have: 1 to 64 characters of
// UTF-8 without control characters, no blank at its end.
TableName parse_table_name(std::string_view text);
// "shop", "my.shop" or "`shop`". Also refuses information_schema and performance_schema, which hold no data.
std::string parse_database_name(std::string_view text);

// The reverse: as parse_table_name() reads it.
std::string written_name(std::string_view part);
std::string written_name(const TableName& name);

// For an error text: up to `most` of `there`, the most similar to `wanted` first; "" if there are none.
std::string nearest_names(const std::string& wanted, std::vector<std::string> there, std::size_t most = 6);

// Throws Error{kind} naming what of `wanted` a dump that holds these does not, with the nearest names.
void require_held(const Selection& wanted, const std::set<std::string>& databases,
                  const std::set<TableName>& tables, ErrorKind kind);

}  // namespace strongroom::restore
