// The registered agent's way to its dispatcher.
#pragma once

#include "agent/state/state_dir.hpp"
#include "proto/exchange.hpp"

namespace strongroom::agent {

// A new exchange (each thread needs its own) with the agent's key and token and the compiled-in dispatcher
// key. Throws Error{refused} if the program was built with another dispatcher key than the one this agent
// registered with, or the address is not allowed for it.
proto::Exchange connect(const StateDir& state, const AgentRecord& agent, const Clock& clock);

}  // namespace strongroom::agent
