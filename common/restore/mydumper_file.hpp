// The files that mydumper 0.10 writes, told by their names (its source, and seen):
//
//   metadata                            when it began and ended, the place in the binary log
//   DATABASE-schema-create.sql          CREATE DATABASE
//   DATABASE.TABLE-schema.sql           CREATE TABLE; of a view a table that stands in its place for a while
//   DATABASE.TABLE.sql, .00002.sql      rows
//   DATABASE.TABLE-schema-triggers.sql
//   DATABASE.VIEW-schema-view.sql       the view itself
//   DATABASE-schema-post.sql            routines and events
#pragma once

#include <optional>
#include <string_view>

#include "common/restore/table_name.hpp"

namespace strongroom::restore {

struct MydumperFile {
    enum class Part { metadata, database, structure, rows, triggers, view, routines };
    Part part = Part::metadata;
    TableName name;  // of a database: without a table; of metadata: empty
    auto operator<=>(const MydumperFile&) const = default;
};

// None: mydumper writes no such file.
std::optional<MydumperFile> read_mydumper_name(std::string_view file);

// Whether mydumper 0.10 dumps this table (or, without one, database) into files that cannot be taken for
// those of another: names with "." or "-schema" in them could be, and those with "/" cannot be names of
// files. It puts names into its statements as they are: with "'" or "`" in them it fails, and with "\" it
// leaves out triggers without a word.
bool has_files_of_its_own(const TableName& name);

}  // namespace strongroom::restore
