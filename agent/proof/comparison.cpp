#include "agent/proof/comparison.hpp"

#include <map>

#include "common/base/printable.hpp"

namespace strongroom::agent {

Comparison compare(const std::vector<TableFigure>& source, const std::vector<TableFigure>& restored) {
    std::map<std::pair<std::string, std::string>, const TableFigure*> found;
    for (const auto& table : restored) found[{table.schema, table.name}] = &table;
    Comparison out;
    const auto differs = [&](const TableFigure& table, const std::string& how) {
        ++out.different;
        if (out.differences.size() < max_problems)
            out.differences.push_back("table " + printable_line(table.schema + "." + table.name, 200) + how);
    };
    for (const auto& table : source) {
        const auto other = found.find({table.schema, table.name});
        if (other == found.end()) {
            differs(table, " is missing");
        } else if (!table.rows) {
            ++out.not_comparable;
        } else if (other->second->rows != table.rows) {
            differs(table, " has " + std::to_string(other->second->rows.value_or(0)) +
                               " rows, at the source it had " + std::to_string(*table.rows));
        } else if (!table.checksum) {
            ++out.not_comparable;  // but the number of rows, which is the same
        } else if (other->second->checksum != table.checksum) {
            differs(table, " has other contents than at the source (CHECKSUM TABLE)");
        } else {
            ++out.equal;
        }
    }
    return out;
}

}  // namespace strongroom::agent
