// Figures of this host's sets, kept in its state folder: figures/SET.json (0600).
#pragma once

#include <optional>
#include <string>

#include "agent/proof/figures.hpp"
#include "agent/state/state_dir.hpp"

namespace strongroom::agent {

// None: there are none of this set. Throws Error{config} for a damaged file, or one of another set.
std::optional<Figures> load_figures(const StateDir& state, const std::string& set);

// Durably. Forgets those of the oldest sets, so that at most 500 are kept.
void save_figures(const StateDir& state, const Figures& figures);

}  // namespace strongroom::agent
