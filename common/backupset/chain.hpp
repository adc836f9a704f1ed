// Increments: which sets one builds on. An increment holds the pages that changed since its parent; it is
// restored by applying it to its parent, and so on down to a full set (docs/format.md section 5).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/signers.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// What keeps a set from being applied to the sets it builds on, or an empty text: each of them must be among
// `trusted` (set id -> manifest), the first one full, all streams of the same tool, and each begin at the LSN
// where the one before ends.
std::string chain_problem(const std::map<std::string, Manifest>& trusted, const std::string& set);

// The sets that `newest` (whose signature was verified) is restored from, the full one first, `newest` last;
// each signed by one of `signers`. One set if it is full. Throws Error{corrupt} that names the
// set that is missing, cannot be trusted or does not fit, and what else the store throws.
std::vector<Manifest> read_chain(storage::ObjectStore& store, const Manifest& newest, const Signers& signers);

}  // namespace strongroom::backupset
