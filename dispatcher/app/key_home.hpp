// The dispatcher's own secret keys in its GnuPG home: the current one, the next one, and former ones that
// still decrypt.
#pragma once

#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"
#include "dispatcher/auth/own_keys.hpp"

namespace strongroom::dispatcher {

bool has_secret_key(const gpg::Home& home, const std::string& fingerprint);

// Removes the secret part, for ever; the public one stays. Nothing if it is not there. Throws Error{crypto}.
void remove_secret_key(const gpg::Home& home, const std::string& fingerprint);

// All secret keys, armored one after the other, the current one first. Throws Error{crypto} if that or the
// next one is missing.
Secret export_own_keys(const gpg::Home& home, const OwnKeys& keys);
// The inverse. Returns the fingerprints in their order.
std::vector<std::string> import_own_keys(const gpg::Home& home, const Secret& exported);

}  // namespace strongroom::dispatcher
