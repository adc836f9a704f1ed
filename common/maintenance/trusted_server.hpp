// One server of a store whose identity keys are known: what verifying and pruning work on.
#pragma once

#include <string>

#include "common/backupset/signers.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::maintenance {

// Refers to what the caller owns.
struct TrustedServer {
    storage::ObjectStore& store;
    std::string id;              // UUID
    backupset::Signers signers;  // its identity key, and those that it had before
};

}  // namespace strongroom::maintenance
