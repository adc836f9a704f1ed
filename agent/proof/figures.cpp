#include "agent/proof/figures.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"

namespace strongroom::agent {
namespace {

constexpr const char* figure_marker = "strongroom-figure";
constexpr std::size_t figures_at_once = 50;

constexpr const char* begin_snapshot =
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT; "
    "SHOW STATUS LIKE 'binlog\\_snapshot\\_%';\n";
constexpr const char* end_snapshot = "SHOW MASTER STATUS; COMMIT;\n";

std::int64_t count_of(const std::string& text) {
    std::int64_t out = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failure != std::errc() || end != text.data() + text.size() || out < 0)
        throw Error(ErrorKind::source, "\"" + printable_line(text, 40) + "\" is no number of rows");
    return out;
}

std::string measure_statements(const std::vector<TableFigure>& tables) {
    std::string out;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto name = quoted_name(tables[i].schema, tables[i].name);
        out += "SELECT '" + std::string(figure_marker) + "', " + std::to_string(i) + ", COUNT(*) FROM " +
               name + "; CHECKSUM TABLE " + name + " EXTENDED;\n";
    }
    return out;
}

// Reads the answers to measure_statements() of `tables` from `row` on.
template <class Row>
void read_figures(std::vector<TableFigure>& tables, Row& row, Row end) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
        auto& table = tables[i];
        const auto shown = printable_line(table.schema + "." + table.name, 200);
        if (row == end || row->size() != 3 || (*row)[0] != figure_marker || (*row)[1] != std::to_string(i))
            throw Error(ErrorKind::source, "the number of rows of " + shown + " is not understood");
        table.rows = count_of((*row++)[2]);
        if (row == end || row->size() != 2 || (*row)[0] != table.schema + "." + table.name)
            throw Error(ErrorKind::source, "the checksum of " + shown + " is not understood");
        count_of((*row)[1]);  // "NULL" is no checksum
        table.checksum = (*row++)[1];
    }
}

bool fits_json(const std::string& name) {
    return is_valid_utf8(name) && std::ranges::none_of(name, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

}  // namespace

bool is_of_the_server_itself(const std::string& schema) {
    return schema == "mysql" || schema == "sys" || schema == "information_schema" ||
           schema == "performance_schema";
}

Figures take_figures(const restore::SqlClient& source, const std::string& set,
                     const backupset::Position& backup, const restore::DumpScope& counts) {
    Figures out;
    out.set = set;
    const auto inexact = [&](const std::string& why) {
        out.not_exact = why;
        return out;
    };
    if (!backup.binlog_file || !backup.binlog_position)
        return inexact("the backup has no position of the binary log (is log_bin off?)");
    // Listed before the snapshot: what is created between them moves the position, too.
    std::vector<TableFigure> listed_only;
    std::vector<std::string> engines;
    std::vector<TableFigure> measured;
    for (const auto& table : list_tables(source)) {
        if (is_of_the_server_itself(table.schema) || !fits_json(table.schema) || !fits_json(table.name) ||
            !counts.holds({table.schema, table.name}))
            continue;
        const bool lasting = table.engine == "InnoDB" || table.engine == "Aria" || table.engine == "MyISAM";
        (lasting ? measured : listed_only).push_back({table.schema, table.name, {}, {}});
        if (lasting) engines.push_back(table.engine);
    }
    const auto rows = source.ask(begin_snapshot + measure_statements(measured) + end_snapshot);
    if (rows.size() < 3 || rows[0].size() != 2 || rows[0][0] != "Binlog_snapshot_file" ||
        rows[1].size() != 2 || rows[1][0] != "Binlog_snapshot_position")
        return inexact("the source does not say at which position of its binary log a snapshot is");
    if (rows[0][1] != *backup.binlog_file || rows[1][1] != std::to_string(*backup.binlog_position))
        return inexact("the source was written to between the end of the backup and the figures");
    auto row = rows.begin() + 2;
    read_figures(measured, row, rows.end());
    if (row == rows.end() || row->size() < 2)
        throw Error(ErrorKind::source, "the source does not say its position of the binary log");
    // Only InnoDB reads the snapshot; of the others nothing is known if something was written meanwhile.
    const bool quiet = (*row)[0] == rows[0][1] && (*row)[1] == rows[1][1];
    for (std::size_t i = 0; i < measured.size(); ++i) {
        if (!quiet && engines[i] != "InnoDB") measured[i].rows.reset(), measured[i].checksum.reset();
        out.tables.push_back(std::move(measured[i]));
    }
    for (auto& table : listed_only) out.tables.push_back(std::move(table));
    return out;
}

void forget_checksums_of_floats(const restore::SqlClient& restored, std::vector<TableFigure>& figures) {
    std::set<std::pair<std::string, std::string>> floats;
    for (const auto& row : restored.ask("SELECT DISTINCT table_schema, table_name FROM "
                                        "information_schema.columns WHERE data_type = 'float';",
                                        2))
        floats.emplace(row[0], row[1]);
    for (auto& figure : figures)
        if (floats.contains({figure.schema, figure.name})) figure.checksum.reset();
}

std::vector<TableFigure> measure_tables(const restore::SqlClient& restored,
                                        const std::vector<TableFigure>& wanted, const OnTables& on_done) {
    std::set<std::pair<std::string, std::string>> there;
    for (const auto& table : list_tables(restored)) there.emplace(table.schema, table.name);
    std::vector<TableFigure> out;
    std::vector<TableFigure> some;
    const auto measure_some = [&] {
        const auto rows = restored.ask(measure_statements(some));
        auto row = rows.begin();
        read_figures(some, row, rows.end());
        if (row != rows.end())
            throw Error(ErrorKind::source, "the restored server answers more than was asked");
        out.insert(out.end(), some.begin(), some.end());
        some.clear();
        if (on_done) on_done(out.size());
    };
    for (const auto& table : wanted) {
        if (!there.contains({table.schema, table.name})) continue;
        if (!table.rows) {
            out.push_back(table);
            continue;
        }
        some.push_back({table.schema, table.name, {}, {}});
        if (some.size() == figures_at_once) measure_some();
    }
    if (!some.empty()) measure_some();
    return out;
}

}  // namespace strongroom::agent
