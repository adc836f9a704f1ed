// When a peer's key stops working: what the alert for keys near expiry goes by.
#pragma once

#include "common/gpg/keys.hpp"
#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

// The first end of the primary key and of its newest encryption subkey, as it was inspected.
inline KeyExpiry key_expiry(const gpg::Key& key) {
    KeyExpiry out{key.fingerprint, 0};
    const auto end_at = [&](const gpg::Subkey& subkey) {
        if (!subkey.expires) return;
        const std::int64_t end = to_millis(*subkey.expires);
        if (out.expires == 0 || end < out.expires) out.expires = end;
    };
    if (!key.subkeys.empty()) end_at(key.subkeys.front());
    if (const auto* subkey = key.encryption_subkey()) end_at(*subkey);
    return out;
}

}  // namespace strongroom::dispatcher
