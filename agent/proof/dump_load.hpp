// A dump of mariadb-dump or mydumper -> verified, decrypted -> taken in by an empty private server -> data
// files on which a server can start.
#pragma once

#include <functional>

#include "agent/proof/work_folder.hpp"
#include "common/restore/extraction.hpp"
#include "common/restore/table_name.hpp"

namespace strongroom::agent {

// Returns what the dump says to hold, all of which is in it; nothing, if that is the whole server.
// Afterwards `folder` belongs to server_user(), and no server runs. Throws Error{source} with the client's
// words if a statement fails, Error{tool_missing}, and Error{corrupt} if
// the dump does not end as one, or lacks what it says to hold, and what open_set() throws.
restore::Selection load_dump(const restore::ExtractFrom& from, const backupset::Manifest& manifest,
                             const WorkFolder& folder, const std::function<void()>& idle);

}  // namespace strongroom::agent
