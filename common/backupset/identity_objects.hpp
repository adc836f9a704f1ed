// What a store holds of a server's identity keys (docs/format.md, section 8), so that whoever trusts a former
// one can follow to the newest from the store alone.
#pragma once

#include "common/backupset/signers.hpp"
#include "common/identity/identities.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// agent.asc and SERVER/identity/: nothing of it is verified. Throws Error{not_found} if there is no
// agent.asc.
ShownIdentities read_identities(storage::ObjectStore& store, const std::string& server);

// Both signatures of a change that waits for its approval.
void write_pending_identity(storage::ObjectStore& store, const IdentityChange& change);

// A change with its approval, which is written last, and the public key of the identity before; read back
// where the credentials may read. Throws Error{storage} if the store keeps other bytes.
void write_identity_change(storage::ObjectStore& store, const IdentityChange& change, BytesView former_key);

Signers signers_of(const Identities& identities);

}  // namespace strongroom::backupset
