// Which hosts may open this host's sets, to prove them: an act of its owner on this host alone, as recovery
// keys are. No order of a dispatcher adds one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/state/state_dir.hpp"
#include "common/backupset/verifier_envelope.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

// None: no host may.
std::optional<backupset::Verifiers> pinned_verifiers(const StateDir& state);
std::vector<std::string> verifier_fingerprints(const StateDir& state);

// The public key of a verifying host, as `strongroom-agent verifier key` prints it there; one that is pinned
// is taken as its newer self. From then on new sets have an envelope for it. Throws Error{crypto} for a key
// that is none, or not this one, or cannot be encrypted to; Error{usage} for this host's own, Error{refused}
// for too many.
PinnedVerifier pin_verifier(const StateDir& state, const std::filesystem::path& file,
                            const std::optional<std::string>& expected, const Clock& clock);

// Error{not_found} if it is not pinned. Envelopes that were made for it stay, until somebody removes them.
PinnedVerifier unpin_verifier(const StateDir& state, const std::string& fingerprint);

}  // namespace strongroom::agent
