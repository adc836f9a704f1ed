// Whether and how this host streams its server's binary log into the store. No dispatcher can set it.
#pragma once

#include <cstdint>

#include "common/config/options.hpp"

namespace strongroom::agent {

struct LogConfig {
    bool stream = false;
    std::int64_t interval = 60;            // seconds: what is written is in the store that soon
    std::int64_t piece_size = 16LL << 20;  // bytes after which a piece is stored before that
    std::int64_t space_limit = 4LL << 30;  // bytes of log in the state folder that wait for the store
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, LogConfig& config);

}  // namespace strongroom::agent
