#include "common/backupset/signers.hpp"

#include <algorithm>

#include "common/backupset/layout.hpp"

namespace strongroom::backupset {

std::vector<std::string> Signers::fingerprints() const {
    std::vector<std::string> out;
    for (const auto& key : keys) out.push_back(key.fingerprint);
    return out;
}

bool Signers::may_sign(const std::string& fingerprint, const std::string& set) const {
    const auto key = std::ranges::find(keys, fingerprint, &Key::fingerprint);
    if (key == keys.end()) return false;
    if (!key->until) return true;
    const auto begun = begun_at(set);
    return begun && *begun <= *key->until;
}

}  // namespace strongroom::backupset
