// The full backup that a chain of the binary log needs, and which nobody ordered: without it nothing can be
// restored from the chain. It begins when any other backup of this host may begin.
#pragma once

#include <optional>
#include <string>

#include "agent/config/agent_config.hpp"
#include "agent/state/log_state.hpp"
#include "agent/state/records.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

struct FullBackupWish {
    UtcTime since;      // the chain began
    std::string waits;  // for what, as in "which begins in the next backup window, ..."; empty: for nothing

    // "a full backup is wanted since TIME, which ..."; until it is made nothing after that can be restored.
    std::string text() const;
};

// None: there is no chain of logs, or a backup since it began.
std::optional<FullBackupWish> full_backup_wish(const AgentConfig& config, const LogState& logs,
                                               const RunState& runs, UtcTime now);

}  // namespace strongroom::agent
