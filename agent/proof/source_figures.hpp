// Figures of the source, taken after a backup.
#pragma once

#include <stop_token>

#include "agent/config/agent_config.hpp"
#include "agent/state/state_dir.hpp"
#include "common/backupset/manifest.hpp"

namespace strongroom::agent {

// Takes and keeps the figures of the set that was just committed, if the configuration asks for them and the
// set can be proven by restoring at all. Never throws: a set without figures is a good set; why there are
// none is logged, and stands in its proof.
void keep_figures(const AgentConfig& config, const StateDir& state, const backupset::Manifest& manifest,
                  UtcTime now, const std::stop_token& stop) noexcept;

// Throws Error{source} with the exact GRANT if figures cannot be taken of all tables.
void require_figure_privileges(const AgentConfig& config);

}  // namespace strongroom::agent
