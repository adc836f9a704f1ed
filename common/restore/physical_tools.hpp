// Which programs unpack and prepare a physical backup.
#pragma once

#include <string>

#include "common/backupset/manifest.hpp"
#include "common/restore/xbstream_guard.hpp"

namespace strongroom::restore {

struct PhysicalTools {
    std::string extract;  // "mbstream" or "xbstream"
    std::string prepare;  // "mariadb-backup" or "xtrabackup"
    XbstreamGuard::Dialect dialect;
};

// Throws Error{usage} if the set is no physical backup.
PhysicalTools tools_for(const backupset::Manifest& manifest);

// Throws Error{tool_missing} with what to install.
void require_tool(const std::string& program);

}  // namespace strongroom::restore
