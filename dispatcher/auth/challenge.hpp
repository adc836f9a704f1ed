// A proof of recovery begins with this: a secret text for each escrowed decryption subkey of a server,
// encrypted to it. Made before the store's transaction, because gpg runs for it.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "dispatcher/auth/admission.hpp"

namespace strongroom::dispatcher {

struct ChallengeDraft {
    struct Item {
        std::string subkey;
        std::string digest;   // SHA-256 of the text: what the answer must be. The text itself is forgotten
        std::string message;  // base64 of the OpenPGP message
    };
    std::string id;           // UUID
    std::string public_key;   // of the server, that it was encrypted with
    std::vector<Item> items;  // the subkey in use first
};

// For `server` if it belongs to `caller` (otherwise, and if no escrowed subkey can be encrypted to, no items:
// the handler refuses). Any thread. Throws Error{crypto}.
ChallengeDraft draft_challenge(Store& store, const Admission& caller, const std::string& server);

}  // namespace strongroom::dispatcher
