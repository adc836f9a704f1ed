// OpenPGP messages: sign, verify, encrypt, decrypt, each in the home that holds the one key it needs.
//
// A signed and encrypted message is made and opened in two steps, so that our own secret key and each peer's
// public key can live in different homes:
//     seal:  sign (own home)  ->  encrypt_signed (peer's home, GPGME_ENCRYPT_WRAP)
//     open:  decrypt_signed (own home, GPGME_DECRYPT_UNWRAP)  ->  verify (peer's home)
// The bytes are the same as those of `gpg --sign --encrypt` and open with `gpg --decrypt`.
//
// Every function opens its own GPGME context, may be called from any thread, takes foreign input up to a cap,
// and throws Error{crypto} on anything but full success: never a partial result.
#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::gpg {

struct Verified {
    Bytes payload;       // empty for detached signatures
    std::string signer;  // full fingerprint of the key that signed: `expected_signer` or one of its subkeys
};
// Of keys that may sign, which one did.
struct VerifiedBy {
    Bytes payload;
    std::string primary;  // full fingerprint, as the caller named it
};

Bytes sign(const Home& home, const std::string& signer, BytesView payload);
Bytes sign_detached(const Home& home, const std::string& signer, BytesView payload);

// Exactly one signature, fully good (not expired, not revoked, no warnings), made by the key whose primary
// fingerprint is `expected_signer`; the home must hold that key. Refuses compressed packets and output over
// `max_payload`.
Verified verify(const Home& home, const std::string& expected_signer, BytesView signed_message,
                std::size_t max_payload);
Verified verify_detached(const Home& home, const std::string& expected_signer, BytesView signature,
                         BytesView payload);

// The same by any one of these keys, at least one of which the home must hold; one run of gpg.
VerifiedBy verify_by_one_of(const Home& home, const std::vector<std::string>& expected_signers,
                            BytesView signed_message, std::size_t max_payload);
VerifiedBy verify_detached_by_one_of(const Home& home, const std::vector<std::string>& expected_signers,
                                     BytesView signature, BytesView payload);

// For a registration only: the payload of a signed message whose signer is not known yet. Nothing is proven
// by it.
Bytes read_unverified(BytesView signed_message, std::size_t max_payload);

// Encrypts an OpenPGP signed message to all these keys: a sealed message, an escrow record.
Bytes encrypt_signed(const Home& home, const std::vector<std::string>& recipients, BytesView signed_message);
// The signed message inside. Refuses data without integrity protection (S11).
Bytes decrypt_signed(const Home& home, BytesView message, std::size_t max_output);

// Encryption without a signature: envelopes. Throws Error{crypto} naming the recipient that cannot be used.
Bytes encrypt(const Home& home, const std::vector<std::string>& recipients, BytesView payload);
Secret decrypt(const Home& home, BytesView message, std::size_t max_output);

// The same to exactly this subkey, whatever newer ones its key has: an envelope.
Bytes encrypt_to_subkey(const Home& home, const std::string& subkey, BytesView payload);

}  // namespace strongroom::gpg
