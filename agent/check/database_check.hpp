// The part of `check` that looks at the backup tool and the database.
#pragma once

#include <optional>
#include <vector>

#include "agent/check/check.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {

// Adds findings: tool, server, privileges (with the exact GRANT that is missing), data folder, replication,
// free space, binary log. Returns what the server said of itself, if it was asked.
std::optional<proto::ServerState> check_database(std::vector<Finding>& out, const AgentConfig& config,
                                                 UtcTime now = {});

}  // namespace strongroom::agent
