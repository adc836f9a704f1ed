// The commit of a backup set: until the manifest's signature is stored, nothing lists as a backup.
#pragma once

#include <string>

#include "common/backupset/manifest.hpp"
#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// Fills in the totals of the segments and the time, signs with the secret key `identity` of `home`, and
// stores manifest and signature, in this order. The envelope and all segments are in the store. Throws
// Error{internal} or Error{corrupt} for a manifest that could not be read back, and what gpg and the store
// throw.
void commit_manifest(Manifest& manifest, const gpg::Home& home, const std::string& identity,
                     storage::ObjectStore& store, const Clock& clock);

}  // namespace strongroom::backupset
