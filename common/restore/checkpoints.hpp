// xtrabackup_checkpoints, the backup tool's own note of what a backup holds.
#pragma once

#include <filesystem>

#include "common/backupset/manifest.hpp"

namespace strongroom::restore {

// Throws Error{corrupt} unless the note in an extracted set says the same kind and the same LSNs as the
// signed manifest: an increment of other pages would be applied, and be wrong.
void require_checkpoints(const std::filesystem::path& folder, const backupset::Manifest& manifest);

}  // namespace strongroom::restore
