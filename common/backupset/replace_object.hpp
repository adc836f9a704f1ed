// Overwriting one object of a set by another that says the same: an envelope for another key, a signature by
// another key.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// The trouble is of this one object or set, and the others can go on.
bool is_about_one_set(ErrorKind kind);

// Puts `fresh` in the place of `before` and reads it back. If it reads back otherwise, or not at all,
// `before` is written back and Error{storage} is thrown that names the object: "the <what> <key> ...". `max`
// bounds what is read. Throws what else the store throws.
void replace_object(storage::ObjectStore& store, const std::string& what, const std::string& key,
                    BytesView before, BytesView fresh, std::size_t max);

}  // namespace strongroom::backupset
