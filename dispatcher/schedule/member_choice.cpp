#include "dispatcher/schedule/member_choice.hpp"

#include <algorithm>
#include <tuple>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {
namespace {

using proto::Standing;

std::int64_t in_ms(std::chrono::milliseconds time) {
    return time.count();
}

std::string how_long(std::int64_t from, std::int64_t now) {
    return format_duration(std::chrono::milliseconds(std::max(now - from, INT64_C(0))));
}

std::string named(const GroupMember& member) {
    return member.server + " (" + printable_line(member.label, 60) + ")";
}

const JobMove* last_move(const std::vector<JobMove>& moves, const std::string& server) {
    const auto found = std::ranges::find(moves, server, &JobMove::server);
    return found == moves.end() ? nullptr : &*found;
}

// Empty: it may be asked.
std::string had_it(const GroupMember& member, const std::vector<JobMove>& moves) {
    const JobMove* move = last_move(moves, member.server);
    if (move == nullptr || (move->final == 0 && member.reported > move->moved)) return {};
    return "had this job: " + move->reason;
}

// Smaller goes first.
auto order_of(const GroupMember& member, const MemberStanding& standing, std::int64_t newest,
              bool increment) {
    const bool last = newest > 0 && member.last_backup == newest;
    const bool idle = member.busy == 0;
    return std::tuple(standing.standing == Standing::replica ? 0 : 1, standing.told_primary ? 0 : 1,
                      last && (idle || increment) ? 0 : 1, idle ? 0 : 1, member.server);
}

}  // namespace

MemberStanding standing_of(const GroupMember& member, std::int64_t now, std::int64_t started) {
    proto::ServerState state;
    try {
        state = from_json<proto::ServerState>(parse_json(member.state, 64U << 10U));
    } catch (const Error&) {
        return {Standing::unfit, "what it told of its server cannot be read", false};
    }
    if (now - std::max(member.last_seen, started) > in_ms(member_gone_after))
        return {Standing::unfit, "its agent is silent for " + how_long(member.last_seen, now), false};
    // Who makes a backup tells nothing meanwhile, and looks anew before the next.
    if (member.busy == 0 && now - member.reported > in_ms(member_state_counts_for))
        return {Standing::unfit, "its agent told nothing of it for " + how_long(member.reported, now), false};
    auto fitness = fitness_for_group(state);
    return {fitness.standing, printable_line(fitness.reason, 300), state.replicas > 0};
}

Choice choose_member(const std::vector<GroupMember>& members, const std::vector<JobMove>& moves,
                     const ChoiceRules& rules) {
    Choice out;
    std::int64_t newest = 0;
    for (const auto& member : members) newest = std::max(newest, member.last_backup);
    const GroupMember* best = nullptr;
    MemberStanding best_standing;
    std::string others;
    for (const auto& member : members) {
        auto standing = standing_of(member, rules.now, rules.started);
        // Only of those that replicate from nobody it matters who has replicas.
        if (standing.standing == Standing::replica) standing.told_primary = false;
        std::string why = standing.standing == Standing::unfit ? standing.reason : had_it(member, moves);
        if (why.empty() && standing.standing == Standing::primary && !rules.primary)
            why = "it is no replica: " + standing.reason;
        if (!why.empty()) {
            others += (others.empty() ? "" : "; ") + named(member) + ": " + why;
            continue;
        }
        if (best != nullptr && order_of(*best, best_standing, newest, rules.increment) <
                                   order_of(member, standing, newest, rules.increment))
            continue;
        best = &member;
        best_standing = std::move(standing);
    }
    if (best == nullptr) {
        out.reason = members.empty() ? "the group has no member" : printable_line(others, 1800);
        return out;
    }
    out.server = best->server;
    out.primary = best_standing.standing == Standing::primary;
    out.reason = printable_line(best_standing.reason, 400);
    if (newest > 0 && best->last_backup == newest && !out.primary)
        out.reason += "; it made the group's newest backup";
    if (out.primary && !others.empty())
        out.reason += "; for want of a replica: " + printable_line(others, 1300);
    return out;
}

namespace {

// Why the member that has the job, and did not begin, must give it back; empty: it may keep it.
std::string taken_away(const GroupMember* holder, const MemberStanding& standing, bool primary) {
    if (holder == nullptr) return "it is in this group no more";
    if (standing.standing == Standing::unfit) return standing.reason;
    if (standing.standing == Standing::primary && !primary) return "it is no replica: " + standing.reason;
    return {};
}

}  // namespace

JobPlan plan_job(const Job& job, std::int64_t primary_after_s, const std::vector<GroupMember>& members,
                 const std::vector<JobMove>& moves, std::int64_t now, std::int64_t started) {
    using Step = JobPlan::Step;
    ChoiceRules rules{now, started, false, job.kind == "incremental"};
    rules.primary =
        primary_after_s != proto::never_the_primary && now - job.created >= primary_after_s * 1000;
    const auto holder = std::ranges::find(members, job.server, &GroupMember::server);
    const bool here = holder != members.end();
    std::optional<JobMove> move;
    auto tried = moves;
    const auto take_away = [&](const std::string& why, bool final) {
        move = JobMove{job.id, job.server, now, final ? 1 : 0, printable_line(why, 500)};
        std::erase_if(tried, [&](const JobMove& one) { return one.server == job.server; });
        tried.push_back(*move);
    };
    if (job.held == 0) {
        const auto standing = here ? standing_of(*holder, now, started) : MemberStanding{};
        if (job.attempts > job.attempts_before) {  // it began, and its lease was lost
            const std::int64_t seen = std::max(here ? holder->last_seen : job.started, started);
            if (now - seen <= in_ms(member_failed_after)) return {};
            take_away("its agent is silent for " + how_long(seen, now) + " since it began", true);
        } else if (auto why = taken_away(here ? &*holder : nullptr, standing, rules.primary); !why.empty()) {
            take_away(why, false);
        } else {
            if (now - job.given <= in_ms(member_takes_within) || holder->busy > 0) return {};
            take_away("it did not take the job within " +
                          format_duration(std::chrono::milliseconds(member_takes_within)),
                      false);
            const auto other = choose_member(members, tried, rules);
            if (!other.server) return {};  // nobody better: it stays where it is
            return {Step::give, *other.server, other.primary, other.reason, move};
        }
    }
    const auto choice = choose_member(members, tried, rules);
    if (choice.server) return {Step::give, *choice.server, choice.primary, choice.reason, move};
    const bool all_failed = !members.empty() && std::ranges::all_of(members, [&](const auto& member) {
        const JobMove* had = last_move(tried, member.server);
        return had != nullptr && had->final != 0;
    });
    if (all_failed) return {Step::fail, {}, false, choice.reason, move};
    if (job.held != 0) return {Step::keep, {}, false, choice.reason, {}};
    return {Step::hold, {}, false, choice.reason, move};
}

}  // namespace strongroom::dispatcher
