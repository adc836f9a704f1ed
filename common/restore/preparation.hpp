// The backup tool's --prepare: applies the log to the data files, so that a server can start on them.
#pragma once

#include <filesystem>
#include <functional>

#include "common/restore/physical_tools.hpp"

namespace strongroom::restore {

struct Preparation {
    std::filesystem::path folder;     // a full backup; the second time and later prepared
    std::filesystem::path increment;  // applied to it; empty: none. The tool writes there, too
    // Another increment comes: Percona's tool must not roll back yet what was not committed; MariaDB's (10.2
    // and newer) does that at the server's start.
    bool more_follow = false;
};

// `idle` is called five times a second meanwhile; throwing from it ends the tool. Throws Error{storage} with
// the tool's last words unless it ended with status 0 and said that it was completed; the folder is then
// worth nothing.
void prepare(const PhysicalTools& tools, const Preparation& work, const std::function<void()>& idle);

}  // namespace strongroom::restore
