// A table for people: columns as wide as their content, foreign text made harmless.
#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

namespace strongroom::term {

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // One cell for each column. Every cell passes printable_line() here, so foreign text needs no care by the
    // caller. Throws Error{internal} if the number of cells is wrong.
    void add(std::vector<std::string> cells);
    std::size_t rows() const { return rows_.size(); }

    // Titles, then rows, two spaces between columns, no spaces at line ends. Without rows: `empty` and a
    // newline.
    void print(std::ostream& out, const std::string& empty) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// "name: value" lines with aligned values, for one object. Values pass printable_line() too.
void print_fields(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace strongroom::term
