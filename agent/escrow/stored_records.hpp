// What of the escrow lies in the store besides the records in force: records for recovery keys that were
// pinned before, and the signed index that says which key opens which record (docs/format.md, section 4).
#pragma once

#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::agent {

// Before `next` takes its place: if the store's record of that subkey is for another set of recovery keys, it
// is put under a name of its own and noted in `known`. Credentials that may not read skip it: then only a
// store that keeps versions has it. `registered`: the recovery keys of the registration, for which records
// are that nobody noted.
void keep_replaced_record(storage::ObjectStore& store, const std::string& server, const Deposit& next,
                          const std::vector<std::string>& registered, EscrowState& known, std::int64_t now);

// Writes the index anew from what this host deposited; nothing before the first change of recovery keys.
void write_escrow_index(const StateDir& state, const EscrowState& escrow, storage::ObjectStore& store,
                        const Clock& clock);

}  // namespace strongroom::agent
