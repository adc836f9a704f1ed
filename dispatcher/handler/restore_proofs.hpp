// What came of restoring sets, as agents tell it: of their own, and of servers whose sets they verify.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dispatcher/handler/context.hpp"
#include "proto/message_parts.hpp"

namespace strongroom::dispatcher {

// Of another server's set only a host counts that this server has named itself, by the identity key that the
// host has now, and that is of the same user. What does not count is left out and audited, once for all of
// `proofs`; it changes nothing else. Returns what may count later: the set is not known yet, or its server
// does not name the host yet.
std::vector<proto::ProofOf> note_proofs(const Context& context, std::span<const proto::SetProof> proofs);

// Who may prove the calling server's sets, as its agent says: all of them.
void note_verifiers(const Context& context, std::vector<std::string> fingerprints);

}  // namespace strongroom::dispatcher
