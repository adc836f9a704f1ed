// Which sets stay. Pure: takes facts, gives decisions with reasons; touches no store.
//
// - A set counts towards a rule only if it and every set it builds on were verified and found good.
// - A set that was not verified stays, and so does one that is not good (unless those are to go): what is not
//   known to be replaced is not thrown away.
// - The newest set that counts always stays, and so does whatever a staying set builds on.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"

namespace strongroom::maintenance {

// The newest set of each of so many hours, days, ... (UTC; weeks begin on Monday) that have one; the newest
// `last`; all that are at most `within` older than the newest. 0: no such rule. The same words as those of
// restic and borg.
struct KeepRules {
    std::int64_t last = 0;
    std::int64_t hourly = 0;
    std::int64_t daily = 0;
    std::int64_t weekly = 0;
    std::int64_t monthly = 0;
    std::int64_t yearly = 0;
    std::chrono::seconds within{0};
    bool any() const {
        return last > 0 || hourly > 0 || daily > 0 || weekly > 0 || monthly > 0 || yearly > 0 ||
               within.count() > 0;
    }
};

enum class Standing { good, not_verified, not_good };

struct RetentionFact {
    std::string set;  // set ids sort by time
    std::optional<std::string> parent;
    UtcTime created;
    Standing standing = Standing::not_verified;
};

inline constexpr const char* not_verified = "not verified";  // as a reason

struct RetentionDecision {
    std::string set;
    bool keep = true;
    std::vector<std::string> reasons;  // "last 3", "daily", "20261122T013700Z-3f9a2c1b builds on it", ...
};

// One decision for each fact, in the order of set ids. `drop_bad`: sets that are not good go too, if a newer
// one counts. Without any rule, or without a set that counts, everything stays.
std::vector<RetentionDecision> decide(const KeepRules& rules, std::vector<RetentionFact> facts,
                                      bool drop_bad);

}  // namespace strongroom::maintenance
