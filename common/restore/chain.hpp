// A physical backup set and the sets it builds on -> one prepared data directory.
//
//   full: extract -> prepare;  each increment in turn: extract beside it -> apply -> remove
//
// The tool's own order: an increment can only be applied to data whose log ends where it begins, and what was
// applied cannot be taken back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/restore/extraction.hpp"

namespace strongroom::restore {

struct ChainSteps {
    std::function<void(const std::string&)> say = [](const std::string&) {};  // one line for each step
    std::function<void()> idle;  // while the backup tool works; throwing from it ends the tool
};

// `chain` is what backupset::read_chain() gives. `folder` is empty and private; increments are extracted into
// private folders under `scratch` (the same file system is best), one at a time. Throws as extract_physical()
// and prepare() do; if an increment is damaged or cannot be applied, the hint names the newest set of the
// chain that was applied with success. What is in `folder` after a failure is worth nothing.
void restore_chain(const ExtractFrom& from, const std::vector<backupset::Manifest>& chain,
                   const std::filesystem::path& folder, const std::filesystem::path& scratch,
                   const ChainSteps& steps);

}  // namespace strongroom::restore
