// The files of a mydumper set in a private folder: as SQL for all that takes it, or given to the user for
// mydumper's own loader.
#pragma once

#include <filesystem>

#include "client/restore/sql_parts.hpp"
#include "common/restore/held_folder.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::client {

// What is wanted of a set, for a while.
class MydumperFolder {
  public:
    // Unpacks it into a folder in `scratch`, after each segment of the set was verified. Throws
    // Error{not_found} if there is no such folder, and as extract_mydumper() does. The destructor removes it.
    MydumperFolder(const RestoreFrom& from, const backupset::Manifest& manifest,
                   const restore::Selection& wanted, const std::filesystem::path& scratch);

    // Valid as long as this.
    SqlFeed feed() const;

  private:
    restore::HeldFolder folder_;
};

// The files of what is wanted in a new folder, which gets its name when all of them are there, for
// `myloader --directory`. Returns what they are of. Throws as free_folder() and extract_mydumper() do.
restore::Selection write_mydumper_folder(const RestoreFrom& from, const backupset::Manifest& manifest,
                                         const restore::Selection& wanted,
                                         const std::filesystem::path& folder);

}  // namespace strongroom::client
