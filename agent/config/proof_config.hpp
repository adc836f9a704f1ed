// How this host proves by restoring that its sets are backups: where, how much space, and what must hold. A
// dispatcher's order carries none of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/config/options.hpp"

namespace strongroom::agent {

struct ProofConfig {
    std::filesystem::path folder;  // where sets are restored to; empty: `proof` in the state folder
    std::int64_t space_limit = 0;  // bytes that a proof may need there; 0: what is free
    bool figures = false;          // after each backup: rows and checksums of all tables, at the source
    std::vector<std::string> assertions;  // SQL; each must answer 1
    bool after_backup = false;            // each backup that the daemon makes is proven at once
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, ProofConfig& config);

}  // namespace strongroom::agent
