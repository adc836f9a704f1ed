// After a theft of a key: every set whose data passphrase that key could open is written anew under another
// one (common/backupset/reencrypt.hpp), and the old set is removed. It follows a rotation, from whose switch
// on nothing is encrypted to a stolen subkey any more; keys.json says that it was begun, so running it again
// goes on, in the middle of a set, too.
//
//   begun    keys.json: started                     -> a rotation (rotation.hpp), which notes the moment of
//   its switch sets     oldest first: journal, new set, opened from the store, committed; then the old one is
//   removed,
//            its signature first
//   (none)   no set with an older passphrase is left
//
// A set that builds on one that is replaced is replaced, too, and names the new one as its parent. At every
// moment each set, or its replacement, is whole; a crash leaves both at worst.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/rotation/rotation.hpp"
#include "common/backupset/reencrypt.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

struct ReencryptStage {
    std::string set;   // that is written anew now
    std::size_t done;  // sets
    std::size_t total;
    backupset::Progress progress;  // of that set: "reencrypting", "checking"
};

struct ReencryptionOptions {
    int workers = 0;  // 0: as many as serve the store best
    std::stop_token stop;
    std::function<void(const ReencryptStage&)> on_stage;  // any thread, one call at a time
    // A set was committed, or its old one removed: to be told to the dispatcher. After a crash both may be
    // called again for the same set.
    std::function<void(const backupset::Manifest&)> on_committed;
    std::function<void(const std::string& set)> on_removed;
};

// What the stolen key still opens.
struct ExposedSet {
    std::string set;
    std::string why;
};

struct ReencryptionResult {
    std::int64_t before = 0;        // passphrases that are older count as known
    std::size_t exposed = 0;        // sets that had one
    std::size_t reencrypted = 0;    // by this run
    std::size_t removed = 0;        // old sets, by this run
    std::int64_t bytes_stored = 0;  // of the new sets, by this run
    std::vector<ExposedSet> left;   // old sets, or versions of their objects, that are still there
    // Sets that could not be written anew. The re-encryption is not over then: repair or remove them, and run
    // it again.
    std::vector<ExposedSet> failed;
};

// Begins one with a rotation, or goes on with what was begun. Throws as rotate() does, and what stores and
// gpg throw; Error{interrupted} if it was stopped. Whatever is thrown: nothing is lost, and running it again
// goes on.
void rotate_for_reencryption(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                             const RotateOptions& options);
ReencryptionResult reencrypt_sets(const StateDir& state, const backupset::ReencryptStores& stores,
                                  const Clock& clock, const ReencryptionOptions& options);

}  // namespace strongroom::agent
