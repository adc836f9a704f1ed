// Which sets a store holds, and whether they can be trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/signers.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// The folders of a server that are named like sets, oldest first, committed or not.
std::vector<std::string> set_folders(storage::ObjectStore& store, const std::string& server);

// The pieces of a server's binary log, by log id: oldest first, committed or not.
std::vector<std::string> log_folders(storage::ObjectStore& store, const std::string& server);
// Both: whatever has an envelope and a manifest.
std::vector<std::string> all_folders(storage::ObjectStore& store, const std::string& server);

// A set is committed once its manifest has a signature: until then, and when that is removed, it is no
// backup.
bool is_committed(storage::ObjectStore& store, const std::string& server, const std::string& set);

// The committed ones of set_folders(), and the newest of them; those of log_folders().
std::vector<std::string> committed_sets(storage::ObjectStore& store, const std::string& server);
std::vector<std::string> committed_logs(storage::ObjectStore& store, const std::string& server);
std::optional<std::string> newest_committed(storage::ObjectStore& store, const std::string& server);

// Reads and verifies one manifest: signature by one of `signers`, server and set as asked for.
// Error{not_found} if there is no committed set, Error{corrupt} or Error{crypto} with the reason if it cannot
// be trusted. `sha256`, if given, gets the digest of the stored manifest, even if it cannot be trusted.
Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const Signers& signers, std::string* sha256 = nullptr);

// The same of a server that has had one identity key, `identity` in `verify_home`.
Manifest read_manifest(storage::ObjectStore& store, const std::string& server, const std::string& set,
                       const gpg::Home& verify_home, const std::string& identity,
                       std::string* sha256 = nullptr);

// A committed set as a listing shows it. `problem` is set (and the rest may be empty) if the manifest cannot
// be trusted; such a set must never be offered as a backup. If it only could not be read now, that says
// nothing about the set.
struct SetInfo {
    std::string set;
    std::optional<Manifest> manifest;
    std::string problem;
    bool unreadable = false;      // the problem is the store's or gpg's
    std::string manifest_sha256;  // of the stored manifest, trusted or not; empty if it cannot be read
};

// The committed sets of a server, oldest first, each verified against `signers`. Folders without a signature
// are unfinished or aborted, and are not listed.
std::vector<SetInfo> list_sets(storage::ObjectStore& store, const std::string& server,
                               const Signers& signers);
// The same of a server that has had one identity key, `identity` in `verify_home`.
std::vector<SetInfo> list_sets(storage::ObjectStore& store, const std::string& server,
                               const gpg::Home& verify_home, const std::string& identity);

}  // namespace strongroom::backupset
