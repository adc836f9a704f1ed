// The statements in mydumper's files of triggers and routines, which may hold others. Each ends with ";" at
// the end of a line, and mydumper puts a blank behind such a ";" within one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strongroom::restore {

struct MydumperStatement {
    std::string_view text;      // without its end
    bool whole = false;         // holds others, or could: a client of the database needs DELIMITER around it
    std::string trigger_table;  // of CREATE TRIGGER: whose it is, as the definition writes it
};

// `code`: the text of such a file, which must outlive the result; `file`: its name, for errors. Throws
// Error{corrupt} if it ends within a statement, Error{refused} for what only a sql_mode that reads strings
// otherwise takes for one statement: mydumper 0.10 does not keep the sql_mode of triggers and routines.
std::vector<MydumperStatement> read_mydumper_code(std::string_view code, const std::string& file);

// Whether a server could take both for one table: it may not tell upper from lower case.
bool may_be_one_table(std::string_view a, std::string_view b);

}  // namespace strongroom::restore
