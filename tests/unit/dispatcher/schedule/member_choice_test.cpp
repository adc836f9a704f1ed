// Whose turn it is in a group: one table of facts and what they lead to, then the life of one job.
#include "dispatcher/schedule/member_choice.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "common/base/clock.hpp"

using namespace strongroom;
using namespace strongroom::dispatcher;

namespace {

constexpr std::int64_t one_minute = 60'000;
constexpr std::int64_t present = 1'000 * one_minute;
const std::string host_a = "00000000-0000-4000-8000-00000000000a";
const std::string host_b = "00000000-0000-4000-8000-00000000000b";
const std::string host_p = "00000000-0000-4000-8000-0000000000ff";

void set_state(GroupMember& member, const std::function<void(proto::ServerState&)>& change) {
    auto state = member.state.empty() ? proto::ServerState{}
                                      : from_json<proto::ServerState>(parse_json(member.state, 1U << 16U));
    change(state);
    member.state = to_json(state).dump();
}

GroupMember member(const std::string& uuid, bool replica) {
    GroupMember out;
    out.server = uuid;
    out.label = "host";
    out.last_seen = present - 1000;
    out.reported = present - one_minute;
    set_state(out, [&](proto::ServerState& state) {
        state.group = "shop";
        state.role = replica ? "replica" : "primary";
        state.replicas = replica ? 0 : 2;
        if (!replica) return;
        proto::ReplicationSource source;
        source.io = source.sql = "Yes";
        source.behind_s = 0;
        source.server_id = 1;
        state.sources = {source};
    });
    return out;
}

// Two replicas, host_a and host_b, and the primary, host_p. All is well.
struct Group {
    std::vector<GroupMember> members{member(host_a, true), member(host_b, true), member(host_p, false)};
    std::vector<JobMove> moves;
    ChoiceRules rules{present, 0, false, false};

    GroupMember& at(const std::string& uuid) {
        return *std::ranges::find(members, uuid, &GroupMember::server);
    }
    void lag(const std::string& uuid, std::int64_t seconds) {
        set_state(at(uuid), [&](auto& state) { state.sources[0].behind_s = seconds; });
    }
    void detach(const std::string& uuid, bool read_only) {
        set_state(at(uuid), [&](auto& state) {
            state.sources.clear();
            state.role = "none";
            state.read_only = read_only;
        });
    }
};

}  // namespace

TEST_CASE("choice of a member: one table") {
    struct Case {
        const char* what;
        std::function<void(Group&)> change;
        std::string chosen;  // empty: nobody
        const char* says;
    };
    const Case cases[] = {
        {"any replica before the primary", [](Group& g) { g.rules.primary = true; }, host_a, "replica"},
        {"the last host stays", [](Group& g) { g.at(host_b).last_backup = 5; }, host_b, "newest backup"},
        {"... but not if it lags", [](Group& g) { g.at(host_b).last_backup = 5, g.lag(host_b, 61); }, host_a,
         "replica"},
        {"... nor for a full backup while it is busy",
         [](Group& g) { g.at(host_b).last_backup = 5, g.at(host_b).busy = 1; }, host_a, "replica"},
        {"... for an increment also while it is busy",
         [](Group& g) { g.at(host_b).last_backup = 5, g.at(host_b).busy = 1, g.rules.increment = true; },
         host_b, "newest"},
        {"the primary made the last one: a replica is fit again",
         [](Group& g) { g.at(host_p).last_backup = 5, g.rules.primary = true; }, host_a, "replica"},
        {"an idle one before a busy one", [](Group& g) { g.at(host_a).busy = 1; }, host_b, "replica"},
        {"a busy replica before the primary",
         [](Group& g) { g.at(host_a).busy = g.at(host_b).busy = 1, g.rules.primary = true; }, host_a,
         "replica"},
        {"behind", [](Group& g) { g.lag(host_a, 3600); }, host_b, "replica"},
        {"gone", [](Group& g) { g.at(host_a).last_seen = present - 11 * one_minute; }, host_b, "replica"},
        {"silent only because the dispatcher was away",
         [](Group& g) {
             g.at(host_a).last_seen = present - 99 * one_minute, g.rules.started = present - one_minute;
         },
         host_a, "replica"},
        {"it polls, and told nothing for too long",
         [](Group& g) { g.at(host_a).reported = present - 76 * one_minute; }, host_b, "replica"},
        {"... because it makes a backup",
         [](Group& g) {
             g.at(host_a).reported = present - 76 * one_minute;
             g.at(host_a).busy = 1;
             g.lag(host_b, 99);
         },
         host_a, "replica"},
        {"what it told cannot be read", [](Group& g) { g.at(host_a).state = "{}"; }, host_b, "replica"},
        {"no replica is fit, and it is too early for the primary",
         [](Group& g) { g.lag(host_a, 61), g.lag(host_b, 99); }, "", "it is no replica"},
        {"no replica is fit: the primary",
         [](Group& g) { g.lag(host_a, 61), g.lag(host_b, 99), g.rules.primary = true; }, host_p,
         "for want of a replica"},
        {"its host forbids that",
         [](Group& g) {
             g.lag(host_a, 61), g.lag(host_b, 99), g.rules.primary = true;
             set_state(g.at(host_p), [](auto& state) { state.backs_up_primary = false; });
         },
         "", "makes no backup of it"},
        {"a replica that was cut off is no primary",
         [](Group& g) { g.detach(host_a, true), g.lag(host_b, 99), g.rules.primary = true; }, host_p,
         "cut off"},
        {"... nor if it is writable, while somebody has replicas",
         [](Group& g) { g.detach(host_a, false), g.lag(host_b, 99), g.rules.primary = true; }, host_p,
         "replica(s) connected"},
        {"only one server is left, and it has lost its replica",
         [](Group& g) {
             g.members = {g.at(host_p)};
             g.detach(host_p, false);
             g.rules.primary = true;
         },
         host_p, "nobody"},
        {"who failed is not asked again",
         [](Group& g) {
             g.moves = {{"j", host_a, present - one_minute, 1, "source: broken"}};
             g.at(host_a).reported = present;
         },
         host_b, "replica"},
        {"who was not fit, and told nothing since, is not asked again",
         [](Group& g) {
             g.moves = {{"j", host_a, present - one_minute, 0, "behind"}};
         },
         host_b, "replica"},
        {"... and is, after it told",
         [](Group& g) {
             g.moves = {{"j", host_a, present - 2 * one_minute, 0, "behind"}};
             g.at(host_a).last_backup = 5;
         },
         host_a, "newest"},
        {"all have failed",
         [](Group& g) {
             g.rules.primary = true;
             for (const auto& one : {host_a, host_b, host_p})
                 g.moves.push_back({"j", one, present, 1, "store: full"});
         },
         "", "store: full"},
        {"nobody is in it", [](Group& g) { g.members.clear(); }, "", "no member"},
        {"a Galera cluster: any synced node",
         [](Group& g) {
             for (auto& one : g.members)
                 set_state(one, [](auto& state) {
                     state.role = "none", state.sources.clear(), state.replicas = 0;
                     state.galera = proto::GaleraState{"Synced", "Primary", true, 3};
                 });
             set_state(g.at(host_a), [](auto& state) { state.galera->node = "Donor/Desynced"; });
         },
         host_b, "Synced"},
    };
    for (const auto& one : cases) {
        INFO(one.what);
        Group group;
        one.change(group);
        const auto choice = choose_member(group.members, group.moves, group.rules);
        CHECK(choice.server.value_or("") == one.chosen);
        CHECK(choice.primary == (one.chosen == host_p));
        CAPTURE(choice.reason);
        CHECK(choice.reason.find(one.says) != std::string::npos);
    }
}

TEST_CASE("what becomes of a group's job: one table") {
    using Step = JobPlan::Step;
    struct Case {
        const char* what;
        std::function<void(Group&, Job&)> change;
        Step step;
        std::string server;  // of Step::give
        int move;            // -1: none, else JobMove::final
    };
    const auto taken = [](Job& job) { job.attempts = 1; };  // and its lease was lost after it began
    const Case cases[] = {
        {"made just now: given", [](Group&, Job& j) { j.held = 1; }, Step::give, host_a, -1},
        {"nobody is fit yet: held",
         [](Group& g, Job& j) { j.held = 1, g.lag(host_a, 99), g.lag(host_b, 99); }, Step::keep, "", -1},
        {"... until the primary may be taken",
         [](Group& g, Job& j) {
             j.held = 1, j.created = present - 10 * one_minute, g.lag(host_a, 99), g.lag(host_b, 99);
         },
         Step::give, host_p, -1},
        {"given a moment ago: kept", [](Group&, Job&) {}, Step::keep, "", -1},
        {"not taken for two minutes: the next", [](Group&, Job& j) { j.given = present - 3 * one_minute; },
         Step::give, host_b, 0},
        {"... not if it is busy: it will come to it",
         [](Group& g, Job& j) { j.given = present - 3 * one_minute, g.at(host_a).busy = 1; }, Step::keep, "",
         -1},
        {"... nor if there is nobody else",
         [](Group& g, Job& j) { j.given = present - 3 * one_minute, g.lag(host_b, 99); }, Step::keep, "", -1},
        {"it fell behind before it took the job", [](Group& g, Job&) { g.lag(host_a, 61); }, Step::give,
         host_b, 0},
        {"it became the primary before it took the job", [](Group& g, Job&) { g.detach(host_a, false); },
         Step::give, host_b, 0},
        {"it left the group", [](Group& g, Job&) { g.members.erase(g.members.begin()); }, Step::give, host_b,
         0},
        {"it went away, and no other is fit",
         [](Group& g, Job&) { g.at(host_a).last_seen = present - 11 * one_minute, g.lag(host_b, 61); },
         Step::hold, "", 0},
        {"it began, and is silent for 59 minutes: it may still be at it",
         [&](Group& g, Job& j) { taken(j), g.at(host_a).last_seen = present - 59 * one_minute; }, Step::keep,
         "", -1},
        {"... for 61 minutes: it failed",
         [&](Group& g, Job& j) { taken(j), g.at(host_a).last_seen = present - 61 * one_minute; }, Step::give,
         host_b, 1},
        {"... of which the dispatcher was away itself",
         [&](Group& g, Job& j) {
             taken(j), g.at(host_a).last_seen = present - 61 * one_minute,
                       g.rules.started = present - 5 * one_minute;
         },
         Step::keep, "", -1},
        {"it began and lags now: let it end", [&](Group& g, Job& j) { taken(j), g.lag(host_a, 999); },
         Step::keep, "", -1},
        {"all have failed",
         [](Group& g, Job& j) {
             j.held = 1;
             for (const auto& one : {host_a, host_b, host_p})
                 g.moves.push_back({"j", one, present, 1, "store: full"});
         },
         Step::fail, "", -1},
        {"two have failed, the third may not be asked yet",
         [](Group& g, Job& j) {
             j.held = 1;
             for (const auto& one : {host_a, host_b})
                 g.moves.push_back({"j", one, present, 1, "store: full"});
         },
         Step::keep, "", -1},
    };
    for (const auto& one : cases) {
        INFO(one.what);
        Group group;
        Job job;
        job.id = "j";
        job.server = host_a;
        job.kind = "backup";
        job.group = "shop";
        job.created = job.given = job.started = present - one_minute;
        one.change(group, job);
        const auto plan = plan_job(job, 600, group.members, group.moves, present, group.rules.started);
        CHECK(static_cast<int>(plan.step) == static_cast<int>(one.step));
        CHECK(plan.server == one.server);
        CHECK((plan.move ? static_cast<int>(plan.move->final) : -1) == one.move);
        if (plan.move) CHECK(plan.move->server == host_a);
    }
    // Never the primary, however long nobody else is fit.
    Group group;
    group.lag(host_a, 99);
    group.lag(host_b, 99);
    Job job;
    job.server = host_a;
    job.held = 1;
    CHECK(plan_job(job, proto::never_the_primary, group.members, {}, present, 0).step == Step::keep);
}
