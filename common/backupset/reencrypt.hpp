// Re-encryption: the data of a set is written anew under another data passphrase, as a set of its own that
// says which one it replaces. For sets whose passphrase somebody else may know: a new envelope alone
// (rewrap.hpp) does not help there.
//
// signed manifest -> N workers: [ store.get -> SHA-256 check -> gpg -d -> gpg -e -> SHA-256 -> store.put ]
//                 -> N workers: [ store.get -> SHA-256 check -> gpg -d -> zstd ] -> signed manifest = commit
//
// A segment's compressed bytes stay what they are. Before the commit the new set is opened from the store to
// its last byte, as a restore would. Memory: workers x 3 stored segments.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/streams.hpp"
#include "common/backupset/verifier_envelope.hpp"
#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// A re-encryption that was begun: what is in the store of it. Whoever keeps it can go on after a crash.
struct BegunReencryption {
    std::string set;              // id of the new set
    std::string envelope_sha256;  // of its envelope's bytes: a store cannot put a passphrase of its own there
    std::vector<Segment> segments;
};

struct ReencryptOptions {
    std::string identity;                  // fingerprint of the identity key in `home`: signs
    std::string subkey;                    // the decryption subkey that the new envelope is for
    std::optional<Verifiers> verifiers{};  // hosts that get an envelope of the new set; no others do
    std::optional<std::string> parent;     // of the new set, if the old one's was replaced, too
    UtcTime time;                          // when the new passphrase was made, for the manifest
    int workers = 0;                       // 0: as many as serve the store best
    std::stop_token stop;                  // ends with Error{interrupted}
    // The new envelope is in the store; then each segment that is, one call at a time. Before these return,
    // nothing relies on them.
    std::function<void(const BegunReencryption&)> on_begun;
    std::function<void(const Segment&)> on_stored;
};

// Where it reads and where it writes: one store, by credentials that may not be the same.
struct ReencryptStores {
    storage::ObjectStore& reads;
    storage::ObjectStore& writes;
};

// `old` is a trusted manifest, `home` holds the secrets of its subkey and of the new one, and the identity
// key. `begun`, if any, is of this very set: what the store has of it is not written again. Returns the new
// manifest after the commit. Throws Error{corrupt} if a segment or the envelope of `old` is not what it
// should be, or if the new set does not open (start anew then, without `begun`), and what the store throws.
// The old set is not touched; what was written stays, uncommitted.
Manifest reencrypt(const ReencryptOptions& options, const Manifest& old,
                   const std::optional<BegunReencryption>& begun, const ReencryptStores& stores,
                   const gpg::Home& home, const Clock& clock, const OnProgress& on_progress = {});

}  // namespace strongroom::backupset
