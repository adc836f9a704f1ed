// Rates that a backup keeps to: the configuration's, unless `throttle` set others.
#pragma once

#include "agent/config/agent_config.hpp"
#include "agent/state/records.hpp"

namespace strongroom::agent {

struct Limits {
    std::int64_t read = 0;  // bytes per second from the source; 0: none
    std::int64_t write = 0;
    bool operator==(const Limits&) const = default;
};

inline Limits limits_in_force(const AgentConfig& config, const Throttle& throttle) {
    return {throttle.read_limit.value_or(config.read_limit),
            throttle.write_limit.value_or(config.write_limit)};
}

}  // namespace strongroom::agent
