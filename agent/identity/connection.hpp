// The registered agent's way to its dispatcher.
#pragma once

#include "agent/state/state_dir.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// The dispatcher's keys that this agent accepts, kept in `folder`.
std::shared_ptr<proto::DispatcherPins> open_pins(const std::filesystem::path& folder);

// A new exchange (each thread needs its own) with the identity key that the dispatcher knows, the token and
// the dispatcher's pinned keys. What is learned of them is logged; what is refused is noted among the
// refusals, too. Throws Error{refused} if the program was built with a dispatcher key that is not in the
// chain of the one this agent registered with, or the address is not allowed for it. `state` must outlive it.
proto::Exchange connect(const StateDir& state, const AgentRecord& agent, const Clock& clock);
// The same with this identity key of the host, whichever it is that the dispatcher knows.
proto::Exchange connect_as(const StateDir& state, const AgentRecord& agent, const std::string& identity,
                           const Clock& clock);

}  // namespace strongroom::agent
