// What is worth knowing about the database server before its backups are needed.
#pragma once

#include <vector>

#include "agent/check/check.hpp"
#include "agent/source/tool.hpp"
#include "proto/server_state.hpp"

namespace strongroom::agent {

// Findings: "encryption at rest" (a warning: a physical backup then needs a key that is not in it),
// "replication" (a warning if it stands still or cannot be seen), "group" of a host that is in one, "free
// space", "engines" (tables without transactions, as far as the account may see them), "binary log". Pure.
std::vector<Finding> findings_of(const proto::ServerState& state, ToolFamily family);

}  // namespace strongroom::agent
