// Verifying hosts, from both sides: whether a server that this host verifies for can be read and opened here,
// and whether those that may open this host's sets get envelopes. Throw what is wrong as Error.
#pragma once

#include <string>

#include "agent/check/check.hpp"
#include "agent/config/agent_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/verifier_envelope.hpp"

namespace strongroom::agent {

Finding check_verified(const AgentConfig& config, const StateDir& state, const std::string& server);
Finding check_verifiers(const backupset::Verifiers& pinned);

}  // namespace strongroom::agent
