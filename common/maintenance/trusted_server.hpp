// One server of a store whose identity key is known: what verifying and pruning work on.
#pragma once

#include <string>

#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::maintenance {

// Refers to what the caller owns.
struct TrustedServer {
    storage::ObjectStore& store;
    std::string id;                // UUID
    std::string identity;          // full fingerprint of its identity key
    const gpg::Home& verify_home;  // holds that public key
};

}  // namespace strongroom::maintenance
