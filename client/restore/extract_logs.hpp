// The files of a server's binary log, for a replay by hand: after a dump, on MySQL, or into a running server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/restore/restore.hpp"
#include "common/restore/log_files.hpp"

namespace strongroom::client {

// Where a replay begins.
struct LogStart {
    backupset::LogPoint at;
    UtcTime about{};  // the point's time, roughly; the epoch if it is not known
};
// The place that a set names. Throws Error{usage} if it names none.
LogStart start_after(const backupset::Manifest& set);

// Writes the files with all from `start` to `target` into `into`, which must not exist or be empty; nothing
// is left under that name on failure. Throws Error{not_found} if the log does not lead there, and as
// fetch_logs(). The paths of the result are those in `into`.
restore::LogStretch extract_logs(const RestoreFrom& from, const LogStart& start,
                                 const restore::TargetPoint& target, const std::filesystem::path& into);

}  // namespace strongroom::client
