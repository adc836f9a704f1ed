// Which member of a group backs up. Pure: facts in, a decision and its reason out (docs/replicas.md has the
// table).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/store/records.hpp"
#include "proto/server_state.hpp"

namespace strongroom::dispatcher {

// An agent that shows no sign of life for so long is gone; what it said of its server counts for so long.
inline constexpr std::chrono::minutes member_gone_after{10};
inline constexpr std::chrono::minutes member_state_counts_for{75};
// Who does not take a job that it was given, though it may, loses it to the next.
inline constexpr std::chrono::minutes member_takes_within{2};
// Who began a backup and fell silent has failed after so long, not before: an agent that is cut off gives its
// group's backup up earlier (agent/job/lease_keeper.hpp), so that no two are made for one slot.
inline constexpr std::chrono::minutes member_failed_after{60};

// What a member may be used for now, and why.
struct MemberStanding {
    proto::Standing standing = proto::Standing::unfit;
    std::string reason;
    bool told_primary = false;  // it has replicas: among those without a source it goes first
};
// `started`: when this dispatcher began to serve; agents cannot be blamed for a silence before.
MemberStanding standing_of(const GroupMember& member, std::int64_t now, std::int64_t started);

struct ChoiceRules {
    std::int64_t now = 0;      // UTC milliseconds
    std::int64_t started = 0;  // as above
    bool primary = false;      // the primary may be chosen for want of a replica
    bool increment = false;    // then the host of the newest backup goes first even if it is busy
};
struct Choice {
    std::optional<std::string> server;
    bool primary = false;  // it is no replica
    std::string reason;    // why that one; or why none, each member with its own reason
};
// `moves`: who had this job before. Who failed is not asked again; who was not fit, or did not take it, only
// after it has told its state anew.
Choice choose_member(const std::vector<GroupMember>& members, const std::vector<JobMove>& moves,
                     const ChoiceRules& rules);

// What becomes of a group's job that waits.
struct JobPlan {
    enum class Step { keep, give, hold, fail } step = Step::keep;
    std::string server;           // give: to this one
    bool primary = false;         // ... which is no replica
    std::string reason;           // one line
    std::optional<JobMove> move;  // who had it, to be noted: with `give` and `hold`
};
JobPlan plan_job(const Job& job, std::int64_t primary_after_s, const std::vector<GroupMember>& members,
                 const std::vector<JobMove>& moves, std::int64_t now, std::int64_t started);

}  // namespace strongroom::dispatcher
