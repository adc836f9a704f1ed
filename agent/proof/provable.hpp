// Which sets can be proven by restoring them at all.
#pragma once

#include "common/backupset/manifest.hpp"

namespace strongroom::agent {

bool is_provable(const backupset::Manifest& manifest);

// Throws Error{refused} that says which sets can be.
void require_provable(const backupset::Manifest& manifest);

}  // namespace strongroom::agent
