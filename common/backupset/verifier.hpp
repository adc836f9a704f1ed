// Verification without a key: signatures, chains, and the size and digest of every object, with nothing but a
// store and the server's public identity key. What it cannot see: whether the envelope opens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/backupset/signers.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/error.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// What can be wrong with a set, the worst first.
enum class Flaw {
    untrusted,  // the manifest is not signed by the server's identity key, or is not the one of this set
    damaged,    // an object is not the one that the manifest signs
    missing,    // an object is not there
    chain       // a set that an increment builds on is missing, not good, or does not fit
};
const char* name(Flaw flaw);   // "untrusted", "damaged", ...
ErrorKind kind_of(Flaw flaw);  // crypto, corrupt, not_found, refused: the exit codes

struct Finding {
    Flaw flaw = Flaw::damaged;
    std::string object;  // key in the store
    std::string text;    // for people
};

// What one look at a set found.
struct SetVerdict {
    std::string set;
    std::optional<Manifest> manifest;  // if it can be trusted
    std::string manifest_sha256;       // of the stored manifest, whoever made it; empty if it cannot be read
    std::vector<Finding> findings;     // the first max_findings of them
    std::size_t flaws = 0;             // all
    Flaw worst = Flaw::chain;          // of all; only for a set that is not good
    bool good() const { return flaws == 0; }
    const char* result() const { return good() ? "good" : name(worst); }
    void add(Flaw flaw, const std::string& object, const std::string& text);
};
inline constexpr std::size_t max_findings = 100;

struct VerifyOptions {
    int workers = 0;  // objects read at once, each in memory; 0: as many as serve the store best
};

// Reads all of one set and tells everything that is wrong with it; damage is a finding, never an error.
// Throws what the store throws if it cannot be read (Error{storage}, Error{network}, ...), because then
// nothing is known about the set, and what `on_progress` throws.
SetVerdict verify_committed(const VerifyOptions& options, storage::ObjectStore& store,
                            const std::string& server, const std::string& set, const Signers& signers,
                            const OnProgress& on_progress = {});

// All objects of a trusted manifest. Throws the first damage as Error{corrupt} that names the object.
void verify_set(const Manifest& manifest, storage::ObjectStore& store, const OnProgress& on_progress = {},
                const VerifyOptions& options = {});

}  // namespace strongroom::backupset
