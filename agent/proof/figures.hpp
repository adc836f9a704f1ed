// Figures of tables: how many rows, and CHECKSUM TABLE. Taken at the source right after a backup, in one
// consistent snapshot, and of use only if that snapshot is at the very position of the binary log that the
// backup's manifest names: then they are exact, and the restored tables must have the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/proof/table_check.hpp"
#include "common/backupset/manifest.hpp"
#include "common/base/json_fields.hpp"
#include "common/restore/dump_plan.hpp"

namespace strongroom::agent {

struct TableFigure {
    std::string schema;
    std::string name;
    // None: the table must be there, but what is in it cannot be compared (an engine without transactions
    // that was written to, or one that keeps its rows in memory).
    std::optional<std::int64_t> rows;
    std::optional<std::string> checksum;
    template <class Fields>
    void fields(Fields& f) {
        f("schema", schema, Text{256});
        f("name", name, Text{256});
        f("rows", rows, any_size);
        f("checksum", checksum, Text{32});
    }
};

// figures/SET.json in the state folder: names of schemas never leave the host in plain text.
struct Figures {
    std::string set;
    std::int64_t taken = 0;                // UTC milliseconds
    std::optional<std::string> not_exact;  // why nothing can be compared; then there are no tables
    std::vector<TableFigure> tables;       // of the schemas that are not the server's own
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("taken", taken, any_time);
        f("not_exact", not_exact, Text{500});
        f("tables", tables, Many<Nested>{1'000'000, {}});
    }
};

// At the source. Never claims more than it knows: unless the snapshot is at `backup`'s position, the result
// says why it is not exact. Throws as SqlClient::ask().
// `counts`: the tables that are in the backup.
Figures take_figures(const restore::SqlClient& source, const std::string& set,
                     const backupset::Position& backup, const restore::DumpScope& counts = {});

// The same tables of a restored server, each with rows and checksum; a table that is not there is missing in
// the result.
std::vector<TableFigure> measure_tables(const restore::SqlClient& restored,
                                        const std::vector<TableFigure>& wanted, const OnTables& on_done = {});

// A dump writes FLOAT columns with fewer digits than they have: of tables with one only the rows are
// compared.
void forget_checksums_of_floats(const restore::SqlClient& restored, std::vector<TableFigure>& figures);

// Those of the schemas that figures are taken of.
bool is_of_the_server_itself(const std::string& schema);

}  // namespace strongroom::agent
