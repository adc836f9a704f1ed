// Pieces of the binary log go when no backup is left in the store that they could be replayed on. A set that
// is marked holds its logs until it is removed, so they need no marks of their own.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "common/maintenance/prune.hpp"

namespace strongroom::maintenance {

struct LogPrunePlan {
    std::vector<std::string> gone;  // log ids, oldest first; unfinished ones of more than a day among them
    std::size_t kept = 0;
};

// `sets` is what becomes of the sets. Kept is every piece from the start of the file in which the oldest set
// begins that stays; with `within` (0: no such limit), of the newest set that is older than that, so that
// each moment of that time can be restored. Without any set that stays, all pieces stay.
LogPrunePlan plan_log_prune(const TrustedServer& server, const std::vector<PruneStep>& sets,
                            std::chrono::seconds within, UtcTime now);

// Removes them, oldest first. `before_each` may throw to stop between two.
void apply_log_prune(const TrustedServer& server, const LogPrunePlan& plan,
                     const std::function<void()>& before_each);

std::string text_of(
    const LogPrunePlan& plan);  // "12 pieces of the binary log go, 400 stay"; empty: there are none
Json json_of(const LogPrunePlan& plan);

}  // namespace strongroom::maintenance
