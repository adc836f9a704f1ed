// The escrow records of a server, from the dispatcher or a store, with the identity key that the user trusts.
#pragma once

#include <string>

#include "client/command/context.hpp"
#include "client/recovery/recover.hpp"
#include "common/identity/identities.hpp"

namespace strongroom::client {

struct TrustedEscrow {
    Escrow escrow;
    Identities identities;
};

// `store` empty: from the dispatcher. `as_of`: as PatientStore takes it. `identity` empty: as
// known-servers.json has it. Throws Error{usage} for what is no UUID, Error{corrupt} for a record that is not
// as its digest says, and as trusted_identities().
TrustedEscrow trusted_escrow(Context& context, const std::string& server, const std::string& store,
                             const std::string& identity, const std::string& as_of = {});

}  // namespace strongroom::client
