// Pieces of a binary log -> its files, in a private folder, with the place where a replay ends.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/backupset/log_chain.hpp"
#include "common/restore/extraction.hpp"
#include "common/restore/target_point.hpp"

namespace strongroom::restore {

// From `start` (in the first file) to `stop` (in the last).
struct LogStretch {
    std::vector<std::filesystem::path> files;  // up to the one of `stop`
    backupset::LogPoint start;
    backupset::LogPoint stop;
    std::int64_t bytes = 0;  // of the files between both
    std::int64_t transactions = 0;
    std::optional<UtcTime> first;  // times of the first and the last transaction
    std::optional<UtcTime> last;
    std::string last_gtid;   // of the last transaction; empty if it has none, or there is none
    std::string gtid_state;  // MariaDB's, at `stop`; empty without a transaction
    std::optional<backupset::LogPoint> loads_file;  // where the first LOAD DATA statement ends
};

// Opens `pieces` (of a LogPath: without a gap, the first one begins its file) into files of their names in
// `folder`, in order, up to the one with the target, and finds it to the byte. Every file must be what the
// manifests say of it: Error{corrupt}. `start`: where the replay begins, between two transactions
// (Error{corrupt} if it is not). Throws Error{not_found}, with the nearest transactions, if the target is
// not where a transaction ends or begins, or the log has no such transaction; else as open_set() does.
LogStretch fetch_logs(const ExtractFrom& from, const std::vector<backupset::Manifest>& pieces,
                      const backupset::LogPoint& start, const TargetPoint& target,
                      const std::filesystem::path& folder);

}  // namespace strongroom::restore
