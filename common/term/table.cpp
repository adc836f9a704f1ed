#include "common/term/table.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/term/text.hpp"

namespace strongroom::term {

void Table::add(std::vector<std::string> cells) {
    if (cells.size() != columns_.size())
        throw Error(ErrorKind::internal, "a table row has " + std::to_string(cells.size()) + " cells for " +
                                             std::to_string(columns_.size()) + " columns");
    for (auto& cell : cells) cell = printable_line(cell);
    rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out, const std::string& empty) const {
    if (rows_.empty()) {
        out << empty << '\n';
        return;
    }
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = display_width(columns_[i].title);
        for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
        widths.push_back(width);
    }
    const auto line = [&](const auto& cell_of) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (i > 0) text += "  ";
            text += columns_[i].align == Align::right ? pad_left(cell_of(i), widths[i])
                                                      : pad_right(cell_of(i), widths[i]);
        }
        while (text.ends_with(' ')) text.pop_back();
        out << text << '\n';
    };
    line([&](std::size_t i) { return columns_[i].title; });
    for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
}

void print_fields(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& fields) {
    std::size_t width = 0;
    for (const auto& [label, value] : fields) width = std::max(width, display_width(label) + 1);
    for (const auto& [label, value] : fields)
        out << pad_right(label + ":", width) << ' ' << printable_line(value) << '\n';
}

}  // namespace strongroom::term
