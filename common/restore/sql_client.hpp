// Statements to a database server through its own command line client, and the rows of the answer, read
// strictly: a row of another shape is an error, never skipped.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace strongroom::restore {

using SqlRow = std::vector<std::string>;

// The client's --batch output: columns by tab, rows by newline, `\t`, `\n`, `\\` and `\0` escaped. Throws
// Error{protocol} for a last row without its newline and for an unknown escape.
std::vector<SqlRow> parse_rows(std::string_view text);

class SqlClient {
  public:
    // `connection`: the client's first arguments, which say how it reaches its server. `idle` is called five
    // times a second while it works; what it throws ends the client.
    SqlClient(std::vector<std::string> connection, std::function<void()> idle);

    // All rows of all statements, in one session. Throws Error{source} with the client's words if one of them
    // fails, Error{tool_missing} without a client.
    std::vector<SqlRow> ask(const std::string& statements) const;
    // The same, each row with this number of columns, else Error{source}.
    std::vector<SqlRow> ask(const std::string& statements, std::size_t columns) const;

  private:
    std::vector<std::string> connection_;
    std::function<void()> idle_;
};

}  // namespace strongroom::restore
