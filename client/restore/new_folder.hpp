// A folder that a restore makes: it gets its name when all of it is there.
#pragma once

#include <filesystem>

#include "client/restore/restore.hpp"

namespace strongroom::client {

// Its absolute path. Throws Error{exists} unless it does not exist or is an empty folder, Error{not_found}
// if the folder that is to hold it does not exist.
std::filesystem::path free_folder(const std::filesystem::path& given);

// Removes what killed restores left in `parent`: folders with decrypted data. Says so.
void remove_left(const RestoreFrom& from, const std::filesystem::path& parent);

// Makes all in `work` durable and gives it the name `folder`, which is on the same file system; fails if
// something came into that name meanwhile.
void give_name(const std::filesystem::path& work, const std::filesystem::path& folder);

}  // namespace strongroom::client
