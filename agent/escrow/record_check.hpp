// Whether the store still holds the escrow records that were deposited. Their digests are those that the
// dispatcher acknowledged, so a record that differs from them differs from the dispatcher's.
#pragma once

#include <string>
#include <vector>

#include "agent/state/state_dir.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

// One text for each record in force that is missing or has other bytes; of a store whose records were never
// written, none. Throws what the store throws: credentials that may not read cannot compare.
std::vector<std::string> changed_records(const StateDir& state, storage::ObjectStore& store);

// Throws Error{corrupt} with the first of them and what to do.
void require_unchanged(const std::vector<std::string>& changed);

}  // namespace strongroom::agent
