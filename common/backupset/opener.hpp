// signed manifest -> verify -> M fetches: [ store.get -> SHA-256 check ] -> N workers: [ gpg -> zstd ] -> in
// order -> target
//
// Verifies before it releases: the manifest's signature, then each segment's digest, then gpg's integrity
// check; only then does a segment's plain text reach the target.
//
// Segments are fetched ahead of the workers that open them, so that network and cores are busy at the same
// time. Memory is bounded, whatever the size of the set: M + N stored segments, N compressed ones, and N (at
// least two) plain ones.
#pragma once

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

struct OpenOptions {
    int workers = 0;  // 0: one per core
    int fetches = 0;  // segments that are fetched at once; 0: as many as serve the store best
    // The identity key of a verifying host, whose envelope is opened; empty: the server's own.
    std::string verifier{};
};

// Opens a verified set into `target` and commits the target. `key_home` holds the server's decryption subkey,
// or the verifying host's.
// Throws Error{corrupt} naming the segment and what to do; the target then was never committed.
void open_set(const OpenOptions& options, const Manifest& manifest, storage::ObjectStore& store,
              const gpg::Home& key_home, Target& target, const OnProgress& on_progress = {});

}  // namespace strongroom::backupset
