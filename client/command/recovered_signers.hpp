// Whose signatures count for who has a recovered home and the store, and nothing else.
#pragma once

#include <optional>
#include <string>

#include "client/command/context.hpp"
#include "client/recovery/recover.hpp"
#include "common/backupset/signers.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::client {

// After a change of the identity key, the store leads from the one of the recovered home to the others; none
// if there was no change, or the store has no agent.asc. `url`, `as_of`: of that store.
std::optional<backupset::Signers> signers_for(Context& context, storage::ObjectStore& store,
                                              const std::string& url, const std::string& as_of,
                                              const RecoveredHome& recovered);

}  // namespace strongroom::client
