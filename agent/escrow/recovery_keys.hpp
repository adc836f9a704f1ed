// Who may open this server's escrow: the pinned recovery keys, and changing them. Pins change by an act on
// this host alone (S5, S7); a record for the new set follows by deposit_due_escrow().
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/state/state_dir.hpp"
#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

struct RecoveryKey {
    Bytes public_key;
    std::string fingerprint;
    std::string user_id;  // foreign text
};

// Parses it in a throw-away home (S8): one primary key, no secret packets, a usable encryption subkey, and
// the expected fingerprint, if one is given. Throws Error{crypto}.
RecoveryKey inspect_recovery_key(Bytes public_key, const std::optional<std::string>& expected = {});
RecoveryKey read_recovery_key(const std::filesystem::path& file,
                              const std::optional<std::string>& expected = {});

struct RecoveryChangeOrder {
    std::vector<RecoveryKey> add;     // one that is pinned is taken as its newer self
    std::vector<std::string> remove;  // fingerprints
    std::string by = "host";
    // Of a statement: its SHA-256, and the change that it was made for.
    std::optional<std::string> statement{};
    std::optional<std::int64_t> sequence{};
};

// Pins the new set, in one atomic write after an escrow record for it could be made; nothing is changed
// otherwise. Error{not_found} for a fingerprint to remove that is not pinned, Error{refused} if no key or too
// many would be left, or the host is at another change than `sequence` follows, Error{crypto} if a record
// cannot be encrypted to one of them.
RecoveryState change_recovery_keys(const StateDir& state, const RecoveryChangeOrder& order,
                                   const Clock& clock);

}  // namespace strongroom::agent
