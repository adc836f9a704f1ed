// Which part of the server a dump holds; without any of it: all.
#pragma once

#include <string>
#include <vector>

#include "common/config/options.hpp"

namespace strongroom::agent {

struct DumpConfig {
    std::vector<std::string> databases;       // whole ones, with their routines and events
    std::vector<std::string> tables;          // "shop.orders"; not together with databases
    std::vector<std::string> exclude_tables;  // of the databases, or of the whole server
    bool partial() const { return !databases.empty() || !tables.empty() || !exclude_tables.empty(); }
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, DumpConfig& config);

}  // namespace strongroom::agent
