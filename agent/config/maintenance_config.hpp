// How this host looks after what it stored, where its policy allows that: `verify` reads sets, `prune`
// removes those that no rule keeps. A dispatcher's order carries none of it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/config/options.hpp"
#include "common/maintenance/prune.hpp"

namespace strongroom::agent {

struct MaintenanceConfig {
    // S3 keys that may read (verify) or remove (prune), where those of backups may only put; empty: the same.
    std::filesystem::path s3_credentials_file;
    std::int64_t verify_for = 1800;            // seconds after which no further set is begun; 0: all sets
    std::int64_t verify_read_limit = 0;        // bytes per second; 0: none
    std::int64_t min_verify_interval = 3'600;  // seconds between verifications that a dispatcher orders
    maintenance::KeepRules keep;               // the numbers; `within` is keep_within
    std::int64_t keep_within = 0;              // seconds
    std::int64_t keep_logs_within = 0;         // seconds; 0: as long as a set that they go on from
    std::int64_t prune_grace = std::chrono::seconds(maintenance::default_grace).count();
    std::int64_t verified_within = 0;  // seconds; 0: a verification counts for ever

    // Sets that are not good always stay: to drop them is a user's decision (strongroom prune).
    maintenance::PruneRules prune_rules() const;
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, MaintenanceConfig& config);

}  // namespace strongroom::agent
