// The part of `check` that looks at the backup tool and the database.
#pragma once

#include <vector>

#include "agent/check/check.hpp"

namespace strongroom::agent {

// Adds findings: tool, server, privileges (with the exact GRANT that is missing), data folder, binary log.
void check_database(std::vector<Finding>& out, const AgentConfig& config);

}  // namespace strongroom::agent
