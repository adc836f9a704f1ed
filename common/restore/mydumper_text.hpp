// The files of mydumper as one SQL text, such as mariadb-dump would write: for all that takes SQL.
//
//   for each database:  CREATE DATABASE, its tables with rows and triggers, tables that stand for its views
//   for each database:  its routines and events
//   for each database:  its views
//
// mydumper's own loader takes a line that ends with ";" for the end of a statement; a client of the database
// does so everywhere, so triggers and routines get DELIMITER around them. They are made under the sql_mode
// and the time zone of the server that loads them: mydumper 0.10 does not keep their own.
#pragma once

#include <filesystem>

#include "common/backupset/streams.hpp"

namespace strongroom::restore {

// `folder` as extract_mydumper() leaves it. Writes and commits. Throws Error{corrupt} for a file of triggers
// or routines that ends within a statement, Error{refused} for a trigger or routine that was written for a
// sql_mode in which strings are read otherwise, Error{storage}, and what `target` throws.
void write_mydumper_sql(const std::filesystem::path& folder, backupset::Target& target);

}  // namespace strongroom::restore
