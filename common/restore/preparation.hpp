// The backup tool's --prepare: applies the log to the data files, so that a server can start on them.
#pragma once

#include <filesystem>
#include <functional>

#include "common/restore/physical_tools.hpp"

namespace strongroom::restore {

// Prepares the full backup in `folder`. `idle` is called five times a second meanwhile; throwing from it ends
// the tool. Throws Error{storage} with the tool's last words unless it ended with status 0 and said that it
// was completed; the folder is then worth nothing.
void prepare(const PhysicalTools& tools, const std::filesystem::path& folder,
             const std::function<void()>& idle);

}  // namespace strongroom::restore
