// Whose signatures count for a server: its identity key, and those that it had before (common/identity says
// how one follows the other).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::backupset {

struct Signers {
    struct Key {
        std::string fingerprint;
        // Of a former key: it signs no set that was begun later than this.
        std::optional<UtcTime> until{};
    };
    gpg::Home home;                       // holds the public keys of all of them
    std::vector<Key> keys;                // the one in use first
    std::shared_ptr<const void> owner{};  // of `home`, where it is a throw-away one

    Signers(gpg::Home holds, std::string identity) : home(std::move(holds)), keys{{std::move(identity)}} {}
    Signers(gpg::Home holds, std::vector<Key> in_order) : home(std::move(holds)), keys(std::move(in_order)) {}

    const std::string& identity() const { return keys.front().fingerprint; }  // in use
    std::vector<std::string> fingerprints() const;
    // Whether the signature of this key counts for a set with this id.
    bool may_sign(const std::string& fingerprint, const std::string& set) const;
};

}  // namespace strongroom::backupset
