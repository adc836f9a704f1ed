// The envelope of a set: its data passphrase, one line, encrypted to a decryption subkey (docs/format.md).
#pragma once

#include <string>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/subkey_cipher.hpp"

namespace strongroom::backupset {

inline constexpr std::size_t max_envelope = 64U << 10U;  // bytes; a real one has about 500

// Encrypted to exactly the subkey `recipient`. Throws Error{crypto}.
Bytes make_envelope(const gpg::Home& home, const std::string& recipient, const Secret& passphrase);

// Opened with whichever secret key of `home` fits. Throws Error{crypto} if none does, Error{corrupt} if what
// is inside is not one passphrase line.
Secret open_envelope(const gpg::Home& home, BytesView envelope);

// The same where thousands follow each other.
Bytes make_envelope(const gpg::SubkeyCipher& cipher, const std::string& recipient, const Secret& passphrase);
Secret open_envelope(const gpg::SubkeyCipher& cipher, BytesView envelope);

}  // namespace strongroom::backupset
