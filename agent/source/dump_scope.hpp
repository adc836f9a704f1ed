// Which part of the server a dump holds, as it is configured.
#pragma once

#include "agent/config/agent_config.hpp"
#include "common/restore/dump_plan.hpp"

namespace strongroom::agent {

// Throws Error{config} for a name that no server could have, for databases and tables together, and for a
// source that makes no dumps.
restore::DumpScope dump_scope(const AgentConfig& config);

}  // namespace strongroom::agent
