// What an export of a decryption subkey holds, looked at without importing it: no key material becomes a
// file.
#pragma once

#include <string>

#include "common/base/secret.hpp"

namespace strongroom::gpg {

// Throws Error{crypto} that says what is wrong unless `exported` is exactly one primary key `identity`
// without secret material (GnuPG's stub, "gnu-dummy") and one subkey `subkey` with it.
void require_only_secret_subkey(const Secret& exported, const std::string& identity,
                                const std::string& subkey);

}  // namespace strongroom::gpg
