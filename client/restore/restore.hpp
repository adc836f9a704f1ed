// Restoring one backup set: to a fresh data directory, through a command, or to a descriptor.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/recovery/recover.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/signers.hpp"

namespace strongroom::client {

// What every restore needs. References must outlive the call.
struct RestoreFrom {
    storage::ObjectStore& store;
    const RecoveredHome& recovered;     // says which server, and which identity signs its manifests
    const gpg::Home& home;              // the GnuPG home with the decryption subkey
    int workers = 0;                    // 0: one per core
    backupset::OnProgress on_progress;  // may throw to end the work
    std::function<void(const std::string&)> say = [](const std::string&) {};  // one line per step, for people
    bool one_pass = false;  // streams only: do not read the whole set once before
    // Whose signatures count; none: only `recovered`.identity's, whose public key `home` holds.
    std::optional<backupset::Signers> signers{};
    backupset::Signers accepted() const {
        return signers ? *signers : backupset::Signers(home, recovered.identity);
    }
};

// The verified manifest of `set`, or of the newest committed one if `set` is "latest". Fails closed: if the
// newest cannot be trusted, no older one is taken in its place (Error{corrupt}, with what to do).
backupset::Manifest choose_set(const RestoreFrom& from, const std::string& set);

struct DatadirOptions {
    std::filesystem::path datadir;  // must not exist or be empty
    // Run the backup tool's --prepare: then a server can start on it. An increment is always prepared.
    bool prepare = false;
};
// Extracts a physical backup, an increment with all that it builds on, into a private folder beside
// `datadir`, checks that it holds nothing but plain files and folders, and only then gives it the name. On
// any failure nothing is left under that name.
void restore_datadir(const RestoreFrom& from, const backupset::Manifest& manifest,
                     const DatadirOptions& options);

// Feeds the plain stream to a command (argv; no shell), or writes it to a descriptor. Every segment's digest
// is checked before the first byte is released, because what a command has taken cannot be taken back: the
// store is read twice. With one_pass it is read once; a segment is still checked before its own bytes are
// released, but damage found late ends the command half-way (Error{corrupt}).
void restore_pipe(const RestoreFrom& from, const backupset::Manifest& manifest,
                  const std::vector<std::string>& command);
void restore_fd(const RestoreFrom& from, const backupset::Manifest& manifest, int fd,
                const std::string& name);

}  // namespace strongroom::client
