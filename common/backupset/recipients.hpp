// Which key each set needs, read from the outside of its envelope: no secret is used.
#pragma once

#include <string>
#include <vector>

#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct SetRecipients {
    std::string set;
    std::vector<std::string> key_ids;  // 16 hexadecimal digits each, as the envelope claims
    std::string problem;               // why they are not known: the envelope is missing or damaged
};

// Of all sets of `server` that have a commit record, oldest first. Throws what the store throws.
std::vector<SetRecipients> list_recipients(storage::ObjectStore& store, const std::string& server);

}  // namespace strongroom::backupset
