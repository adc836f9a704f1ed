// One physical backup set -> verified, decrypted -> names checked -> files in a private folder.
#pragma once

#include <filesystem>

#include "common/backupset/manifest.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/streams.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::restore {

// What extraction works with. Refers to what the caller owns.
struct ExtractFrom {
    storage::ObjectStore& store;
    const gpg::Home& home;  // holds the decryption subkey that the set's envelope needs
    int workers = 0;        // 0: one per core
    backupset::OnProgress on_progress;
    // The identity key of a verifying host, if `home` is its own: it has an envelope of its own.
    std::string verifier{};
    backupset::OpenOptions opening() const { return {workers, 0, verifier}; }
};

// Extracts a set whose manifest was verified into `folder`, which is empty and private, and checks that it
// then holds nothing but plain files and folders, and a checkpoints file (S12). Throws Error{usage} if the
// set is no physical backup, Error{tool_missing}, Error{refused} for a name or a link that leads out,
// Error{corrupt} as open_set() does. What is in `folder` after a failure is the caller's to remove.
void extract_physical(const ExtractFrom& from, const backupset::Manifest& manifest,
                      const std::filesystem::path& folder);

}  // namespace strongroom::restore
