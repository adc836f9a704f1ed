// Every table of a server, and what CHECK TABLE says of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "common/restore/sql_client.hpp"

namespace strongroom::agent {

struct Table {
    std::string schema;
    std::string name;
    std::string engine;  // or "SEQUENCE"; empty: the server cannot tell, and CHECK TABLE will say why
    bool operator==(const Table&) const = default;
    std::string shown() const;  // "shop.orders", fit for an error text
};

// All tables and sequences, also those of the schema mysql; views are none.
std::vector<Table> list_tables(const restore::SqlClient& client);

// Tables that InnoDB's own dictionary knows and the server does not, because their definition is gone. Names
// that are encoded on disk are left out, and so are the internal tables of InnoDB.
std::vector<std::string> lost_definitions(const restore::SqlClient& client, const std::vector<Table>& tables);
// The table that a name of the dictionary ("shop/orders#P#p0") stands for: "shop.orders"; empty: none of
// those.
std::string dictionary_table(const std::string& name);

struct TableCheck {
    std::size_t checked = 0;            // the server read them and said OK
    std::size_t not_checkable = 0;      // their engine has no check: sequences, MEMORY
    std::vector<std::string> problems;  // "shop.orders: what was said"; the first max_problems of them
    std::size_t bad = 0;                // all
};
inline constexpr std::size_t max_problems = 20;

// How many of a number of tables are done.
using OnTables = std::function<void(std::size_t done)>;

TableCheck check_tables(const restore::SqlClient& client, const std::vector<Table>& tables,
                        const OnTables& on_done = {});

// Adds what the answers to check_statements(tables) say. Strict: each table has its answer, in order. Only
// "status: OK" counts as checked, only the one known note as not checkable; everything else is a problem.
// Throws Error{source} if the answers are not those of these tables.
std::string check_statements(const std::vector<Table>& tables);
void read_check(const std::vector<Table>& tables, const std::vector<restore::SqlRow>& rows, TableCheck& out);

}  // namespace strongroom::agent
