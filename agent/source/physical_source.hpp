// mariadb-backup and xtrabackup, as an xbstream on standard output.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "agent/source/tool.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/file.hpp"

namespace strongroom::agent {

// Holds the tool's temporary folder; a base class, so that it outlives the process that uses it.
struct PhysicalTarget {
    TempDir folder;
};

class PhysicalSource : private PhysicalTarget, public backupset::ProcessSource {
  public:
    // `since`: an increment of the pages that changed after this LSN; none: a full backup.
    PhysicalSource(const Tool& tool, const std::filesystem::path& option_file,
                   const std::filesystem::path& temp_parent, std::chrono::milliseconds stall,
                   std::optional<std::int64_t> since = {});

  private:
    Facts check(const backupset::Diagnostics& said) override;

    std::optional<std::int64_t> since_;
};

}  // namespace strongroom::agent
