// Small messages to and from one home's decryption subkeys, thousands in a row: envelopes in a rotation. One
// gpg child for each (message.hpp's GPGME calls cost a second one), the private-key operation in the home's
// own gpg-agent, which does one at a time: 14 ms of a core for RSA-3072, half of one for cv25519.
#pragma once

#include <string>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::gpg {

// Any thread. Both throw Error{crypto} on anything but full success.
class SubkeyCipher {
  public:
    // `home` holds the keys; a passphrase could not be asked for.
    explicit SubkeyCipher(const Home& home);

    // To exactly this subkey, as encrypt_to_subkey().
    Bytes encrypt(const std::string& subkey, const Secret& payload) const;
    // With whichever secret key of the home fits. Refuses data without integrity protection and output over
    // `max_output` bytes.
    Secret decrypt(BytesView message, std::size_t max_output) const;

  private:
    Home home_;
    std::string program_;
};

}  // namespace strongroom::gpg
