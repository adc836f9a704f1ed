// `strongroom-agent check`: everything that a backup and its recovery will need, tried now.
#pragma once

#include <string>
#include <vector>

#include "agent/config/agent_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/base/clock.hpp"

namespace strongroom::agent {

enum class Verdict { ok, warn, fail };

struct Finding {
    Verdict level = Verdict::ok;
    std::string what;  // "mysql grants"
    std::string text;
    std::string hint;  // what to do; empty for ok
};

// Tries each part; never throws for a part that fails. Writes a probe object into the store and removes it,
// and sends one agent.report to the dispatcher.
std::vector<Finding> check_host(const AgentConfig& config, const StateDir& state, const Clock& clock);

bool has_failure(const std::vector<Finding>& findings);

}  // namespace strongroom::agent
