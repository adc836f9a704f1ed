// What `check` says of a server's state, and of schedules beside backup windows.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "agent/check/server_check.hpp"
#include "agent/check/window_check.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"

using namespace strongroom;
using namespace strongroom::agent;

namespace {

const Finding& named(const std::vector<Finding>& findings, const std::string& what) {
    for (const auto& finding : findings)
        if (finding.what == what) return finding;
    FAIL("no finding: " << what);
    throw 0;
}

}  // namespace

TEST_CASE("check: a replica that stands still, one that cannot be seen, and a full disk are warnings") {
    proto::ServerState state;
    state.role = "replica";
    proto::ReplicationSource source;
    source.io = source.sql = "Yes";
    source.behind_s = 61;
    state.sources = {source};
    state.space = {{"data", 50, 100}};
    const auto look = [&] { return findings_of(state, ToolFamily::physical); };
    CHECK(named(look(), "replication").level == Verdict::ok);
    CHECK(named(look(), "free space").level == Verdict::ok);
    for (const auto& finding : look()) CHECK(finding.what != "group");
    state.group = "shop";
    CHECK(named(look(), "group").level == Verdict::warn);  // 61 s
    state.max_lag_s = 61;
    CHECK(named(look(), "group").level == Verdict::ok);
    state.sources[0].sql = "No";
    CHECK(named(look(), "replication").level == Verdict::warn);
    state.role = "unknown";
    state.problem = "GRANT SLAVE MONITOR";
    CHECK(named(look(), "replication").text.find("GRANT SLAVE MONITOR") != std::string::npos);
    CHECK(named(look(), "replication").level == Verdict::warn);
    CHECK(named(look(), "group").level == Verdict::warn);
    state.space = {{"data", 50, 100}, {"store", 4, 100}};
    CHECK(named(look(), "free space").level == Verdict::warn);
}

TEST_CASE("check: a schedule that never, or not always, begins within the windows is told") {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    const TempDir folder;
    const StateDir state(folder.path() / "state", true);
    AgentConfig config;
    config.backup_windows = {"22:00-04:00"};
    const UtcTime now = parse_utc("2026-11-22T14:00:00Z");
    const auto with = [&](const std::string& cron, const std::string& kind = "backup") {
        ScheduleState schedules;
        KnownSchedule known;
        known.order = {random_uuid(), kind, cron, 0};
        schedules.schedules = {known};
        state.save(schedules);
        return check_windows(config, state, now);
    };
    CHECK(with("0 3 * * *").level == Verdict::ok);
    CHECK(with("0 3 * * *").text.find("closed now (14:00)") != std::string::npos);
    CHECK(with("0 5 * * *").level == Verdict::warn);
    CHECK(with("0 5 * * *").text.find("NEVER begins within it") != std::string::npos);
    CHECK(with("0 3,5 * * *").text.find("outside it in 200 of the next 400 slots") != std::string::npos);
    CHECK(with("0 5 * * *", "verify").level == Verdict::ok);  // not bound by windows
    ::unsetenv("TZ");
    ::tzset();
}
