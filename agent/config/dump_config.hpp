// Which part of the server a dump holds; without any of it: all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/config/options.hpp"

namespace strongroom::agent {

struct DumpConfig {
    std::vector<std::string> databases;       // whole ones, with their routines and events
    std::vector<std::string> tables;          // "shop.orders"; not together with databases
    std::vector<std::string> exclude_tables;  // of the databases, or of the whole server
    // Of source "mydumper":
    std::filesystem::path mydumper_folder = "/dev/shm";  // in memory; its files wait there, in plain text
    std::int64_t mydumper_memory = 512LL << 20;          // bytes of them; more, and mydumper is held
    int mydumper_threads = 4;
    bool partial() const { return !databases.empty() || !tables.empty() || !exclude_tables.empty(); }
};

// Declares every field as option, environment variable and file key.
void declare(config::Options& options, DumpConfig& config);

}  // namespace strongroom::agent
