// Whether the schedules that this host knows fit its backup windows.
#pragma once

#include "agent/check/check.hpp"

namespace strongroom::agent {

// A warning names each schedule of backups that never begins within the windows, or not always, in the next
// year (400 slots at most).
Finding check_windows(const AgentConfig& config, const StateDir& state, UtcTime now);

}  // namespace strongroom::agent
