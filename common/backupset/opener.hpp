// signed manifest -> verify -> N workers: [ store.get -> SHA-256 check -> gpg -> zstd ] -> in order -> target
//
// Verifies before it releases: the manifest's signature, then each segment's digest, then gpg's integrity
// check; only then does a segment's plain text reach the target.
#pragma once

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct OpenOptions {
    int workers = 0;  // 0: one per core
};

// Opens a verified set into `target` and commits the target. `key_home` holds the server's decryption subkey.
// Throws Error{corrupt} naming the segment and what to do; the target then was never committed.
void open_set(const OpenOptions& options, const Manifest& manifest, storage::ObjectStore& store,
              const gpg::Home& key_home, Target& target, const OnProgress& on_progress = {});

}  // namespace strongroom::backupset
