// Work that gets out of the database's way.
#pragma once

#include <future>

#include "agent/config/agent_config.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/priority.hpp"

namespace strongroom::agent {

// Runs `function` in a thread of its own, which together with all that it starts (workers, gpg, a dump tool)
// has the configured nice value and I/O class: a priority that was lowered cannot be raised again. Returns
// and throws what it does.
template <class Function>
auto at_low_priority(const AgentConfig& config, Function function) {
    return std::async(std::launch::async,
                      [&] {
                          try {
                              lower_priority({config.nice, config.io_class});
                          } catch (const Error& error) {
                              log_event(Level::warning, "AGENT_PRIORITY_NOT_SET", "{}", error.text());
                          }
                          return function();
                      })
        .get();
}

}  // namespace strongroom::agent
