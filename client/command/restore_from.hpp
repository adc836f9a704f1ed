// What restores read from: a store, and a recovered home, which may know only the identity key that the
// server had before.
#pragma once

#include <string>

#include "client/command/context.hpp"
#include "client/command/stage_progress.hpp"
#include "client/recovery/recover.hpp"
#include "client/restore/restore.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::client {

// What the restore commands read from: progress and steps go to the screen, an interruption ends the work.
// All arguments must outlive the result; `url`, `as_of`: of `store`.
RestoreFrom restore_from(Context& context, storage::ObjectStore& store, const std::string& url,
                         const std::string& as_of, const RecoveredHome& recovered, const gpg::Home& home,
                         StageProgress& progress);

}  // namespace strongroom::client
