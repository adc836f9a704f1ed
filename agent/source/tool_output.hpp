// What the backup tools say about their backup, read from their own words. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/backupset/streams.hpp"

namespace strongroom::agent {

// mariadb-backup and xtrabackup: `head` and `tail` of standard error. Throws Error{source} unless the last
// line is "completed OK!" and the LSN of the backup is there; for an increment also unless the tool says that
// it began at `since`.
backupset::Source::Facts read_physical_output(std::string_view head, std::string_view tail,
                                              std::optional<std::int64_t> since = {});

// mariadb-dump and mysqldump: the first and the last bytes of the dump. Throws Error{source} unless it ends
// with the line "-- Dump completed".
backupset::Source::Facts read_dump_text(std::string_view head, std::string_view tail);

}  // namespace strongroom::agent
