// signed manifest -> verify -> N workers: [ store.get -> SHA-256 check -> gpg -> zstd ] -> in order -> target
//
// Verifies before it releases: the manifest's signature, then each segment's digest, then gpg's integrity
// check; only then does a segment's plain text reach the target.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// A committed set as a listing shows it. `problem` is set (and the rest may be empty) if the manifest cannot
// be trusted; such a set must never be offered as a backup.
struct SetInfo {
    std::string set;
    std::optional<Manifest> manifest;
    std::string problem;
    std::string manifest_sha256;  // of the stored manifest, trusted or not; empty if it cannot be read
};

// The committed sets of a server, oldest first, each verified against `identity` in `verify_home` (a home
// that holds the agent's public key). Folders without a signature are unfinished or aborted, and are not
// listed.
std::vector<SetInfo> list_sets(storage::ObjectStore& store, const std::string& server,
                               const gpg::Home& verify_home, const std::string& identity);

// Reads and verifies one manifest: signature by `identity`, server and set as asked for. Error{not_found} if
// there is no committed set, Error{corrupt} or Error{crypto} with the reason if it cannot be trusted.
// `sha256`, if given, gets the digest of the stored manifest, even if it cannot be trusted.
Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const gpg::Home& verify_home, const std::string& identity,
                       std::string* sha256 = nullptr);

struct OpenOptions {
    int workers = 0;  // 0: one per core
};

// Opens a verified set into `target` and commits the target. `key_home` holds the server's decryption subkey.
// Throws Error{corrupt} naming the segment and what to do; the target then was never committed.
void open_set(const OpenOptions& options, const Manifest& manifest, storage::ObjectStore& store,
              const gpg::Home& key_home, Target& target, const OnProgress& on_progress = {});

}  // namespace strongroom::backupset
