// What a change of a server's identity key proves, looked at with gpg before the transaction that takes it.
#pragma once

#include <string>

#include "dispatcher/auth/admission.hpp"
#include "proto/messages.hpp"

namespace strongroom::dispatcher {

struct IdentityProof {
    IdentityStatement content;
    std::string former_key;  // public key that it was verified with
    std::string approver;    // empty: a proposal
    bool repeated = false;   // the server has this identity key already; nothing else was looked at
};

// Signed by the identity key that this server has here, by the new one, and (unless it is a proposal) by the
// recovery key that comes with it, which is among those that the host told of. The host itself took no other
// word than that of a key that is pinned there: a dispatcher can refuse a change, and make none.
IdentityProof prove_identity_change(const Server& server, const proto::IdentityChangeNews& news);

}  // namespace strongroom::dispatcher
