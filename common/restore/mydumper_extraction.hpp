// A set of mydumper -> verified, decrypted -> the files that mydumper wrote, in a private folder.
#pragma once

#include <filesystem>

#include "common/restore/extraction.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::restore {

// Writes the files of what is wanted (of all, if nothing is named) into `folder`, which is empty and private,
// and returns the databases and tables that they are of; views and sequences are such, too. Throws
// Error{usage} if the set was not made by mydumper, Error{storage} if there is not space for what is wanted,
// Error{not_found} naming what is wanted and not there with the nearest names, Error{refused} for a file that
// mydumper would not write, Error{corrupt} if its own account of the dump is missing or not finished, and
// what open_set() throws. What is in `folder` after a failure is the caller's to remove.
Selection extract_mydumper(const ExtractFrom& from, const backupset::Manifest& manifest,
                           const Selection& wanted, const std::filesystem::path& folder);

// mydumper's own account of a dump, the file "metadata". Foreign text.
struct MydumperAccount {
    std::string finished;  // local time of the host, as written
    backupset::Position position;
};
// Throws Error{corrupt} unless it says that the dump was begun and finished.
MydumperAccount read_mydumper_account(std::string_view metadata);

}  // namespace strongroom::restore
