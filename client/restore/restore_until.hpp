// Point in time: a physical set with what it builds on, and the binary log replayed on it up to a moment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "client/restore/choose_point.hpp"
#include "client/restore/restore.hpp"
#include "common/restore/log_files.hpp"

namespace strongroom::client {

struct UntilOptions {
    restore::TargetPoint target;
    std::string set;                // to begin with; empty: the newest that leads there
    std::filesystem::path datadir;  // must not exist or be empty
    bool allow_load_data = false;   // see restore::ReplayWork
};

struct UntilResult {
    std::string set;  // that was begun with
    backupset::LogPoint at;
    std::string gtid;             // state there; empty if not known
    std::optional<UtcTime> time;  // of the last transaction; none if the set itself was the point
    std::int64_t transactions = 0;
};

// Finds the route, fetches the log and finds the place in it before anything is restored; then the set, then
// the replay in a private server; and only then gives the folder the name `datadir`. On any failure nothing
// is left under that name, or beside it. Throws what choose_route(), fetch_logs(), restore_chain() and
// replay_logs() throw; Error{refused} if the log loads files and that was not allowed.
UntilResult restore_until(const RestoreFrom& from, const UntilOptions& options);

// The route from the sets and logs of the store.
Route find_route(const RestoreFrom& from, const restore::TargetPoint& target, const std::string& set);

}  // namespace strongroom::client
