// The registered agent's way to its dispatcher.
#pragma once

#include "agent/state/state_dir.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// The dispatcher's keys that this agent accepts, kept in `folder`.
std::shared_ptr<proto::DispatcherPins> open_pins(const std::filesystem::path& folder);

// A new exchange (each thread needs its own) with the agent's key and token and the dispatcher's pinned keys.
// What is learned of them is logged; what is refused is noted among the refusals, too. Throws Error{refused}
// if the program was built with a dispatcher key that is not in the chain of the one this agent registered
// with, or the address is not allowed for it. `state` must outlive it.
proto::Exchange connect(const StateDir& state, const AgentRecord& agent, const Clock& clock);

}  // namespace strongroom::agent
