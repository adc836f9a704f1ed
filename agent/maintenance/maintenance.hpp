// Looking after sets, whoever asked for it: verify them, this host's own or those of a server that it
// verifies for, and remove of its own those that no rule of its configuration keeps. What was verified stands
// in verified.json, which only this host writes.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/config/maintenance_config.hpp"
#include "agent/state/state_dir.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/base/clock.hpp"
#include "common/maintenance/log_prune.hpp"
#include "common/maintenance/prune.hpp"
#include "common/maintenance/verification.hpp"

namespace strongroom::agent {

struct MaintenanceOptions {
    std::stop_token stop;  // Error{interrupted}
    int workers = 0;       // objects read at once; 0: one per core
    // How far a verification is, from any thread, one call at a time.
    std::function<void(const std::string& set, const backupset::Progress&)> on_progress;
};

// Reads the sets that were never verified, then those whose last time is longest ago, for as long as the
// configuration says. Logs each that is not good. Throws Error{busy} if another process looks after the sets
// now, and what the store throws: credentials that may only put cannot verify.
maintenance::ServerVerdict verify_sets(const MaintenanceConfig& config, const StateDir& state,
                                       const Subject& subject, storage::ObjectStore& store,
                                       const Clock& clock, const MaintenanceOptions& options);

struct PruneResult {
    std::vector<maintenance::PruneStep> plan;
    std::vector<std::string> removed;
    maintenance::LogPrunePlan logs;
};

// Plans, and does the steps if `apply`. Throws Error{config} if no rule says what stays, Error{busy} if
// another process looks after the sets or rotates the keys now, and what the store throws; the sets that were
// removed until then are logged.
PruneResult prune_own_sets(const MaintenanceConfig& config, const StateDir& state,
                           storage::ObjectStore& store, const Clock& clock, bool apply,
                           const std::stop_token& stop);

}  // namespace strongroom::agent
