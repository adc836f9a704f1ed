// OpenPGP keys: making, inspecting, moving. Keys are named by full fingerprint only.
//
// All functions open their own GPGME context, may be called from any thread, and throw Error{crypto} on
// failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::gpg {

struct Subkey {
    std::string fingerprint;
    bool can_sign = false;
    bool can_encrypt = false;
    bool usable = false;  // not expired, revoked, disabled or invalid
    bool secret = false;
    std::optional<UtcTime> expires;
};

struct Key {
    std::string fingerprint;      // of the primary key
    std::string user_id;          // the first one; foreign text, print it with printable_line()
    std::string algorithm;        // "rsa3072", "ed25519"
    std::vector<Subkey> subkeys;  // [0] is the primary key
    bool usable = false;

    bool owns(const std::string& fingerprint) const;  // primary or any subkey
    // The newest usable encryption (sub)key, or nullptr.
    const Subkey* encryption_subkey() const;
};

// Largest public key that is taken from a peer (bytes).
inline constexpr std::size_t max_public_key = 64U << 10U;

// Makes `user_id`: primary = certify+sign, one encryption subkey, no expiry, no passphrase, whatever
// other keys of this name the home has. `algorithm` is
// "rsa3072" or "ed25519" (with a cv25519 subkey). Returns the fingerprint.
std::string generate_key(const Home& home, const std::string& user_id, const std::string& algorithm);

// Adds one more encryption subkey to the primary key `fingerprint`, without expiry: "cv25519", "rsa3072",
// "rsa4096", or "same" as the primary key is. Returns its fingerprint.
std::string add_encryption_subkey(const Home& home, const std::string& fingerprint,
                                  const std::string& algorithm = "same");

// Lets a subkey expire (in a second): nobody encrypts to it any more, it still decrypts. Nothing if it has
// expired already.
void expire_subkey(const Home& home, const std::string& fingerprint, const std::string& subkey);

// The secret and the public key, for good: one that nothing was ever made with.
void delete_key(const Home& home, const std::string& fingerprint);

// Throws Error{crypto} if the home does not hold exactly the key with this primary fingerprint.
Key find_key(const Home& home, const std::string& fingerprint, bool secret = false);
std::vector<Key> list_keys(const Home& home, bool secret = false);

std::string export_public(const Home& home, const std::string& fingerprint);  // armored

// The decryption subkey alone: the primary is a stub without secret material (gpg --export-secret-subkeys
// FPR!).
Secret export_secret_subkey(const Home& home, const std::string& subkey_fingerprint);

// Checks a foreign public key, first its shape (key_shape.hpp), then in a throw-away home (S8): at most
// max_public_key bytes, exactly one primary
// key, no secret packets, usable, with a usable encryption subkey; and, when given, this fingerprint. Nothing
// is imported anywhere else. Throws Error{crypto} that says which of these failed.
Key inspect_public_key(BytesView key, const std::optional<std::string>& expected_fingerprint = {});

// The same, in a throw-away home of the caller's, which holds the key afterwards. The home must be empty.
Key import_into_empty(const Home& home, BytesView key,
                      const std::optional<std::string>& expected_fingerprint = {});

// inspect_public_key(), then into `home`. Returns what was imported.
Key import_public_key(const Home& home, BytesView key,
                      const std::optional<std::string>& expected_fingerprint = {});

// The whole secret key, armored. Only for keys that live outside this home, too: a backup.
Secret export_secret_key(const Home& home, const std::string& fingerprint);

// Imports secret key material (an opened escrow record, a dispatcher key). Returns the primary fingerprint.
std::string import_secret_key(const Home& home, const Secret& key);

}  // namespace strongroom::gpg
