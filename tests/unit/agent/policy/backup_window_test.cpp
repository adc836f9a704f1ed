// When backups may begin, by the clock on the wall.
#include "agent/policy/backup_window.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "agent/policy/policy.hpp"
#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::agent;

namespace {

// The time zone of one test.
struct Zone {
    explicit Zone(const char* name) { set(name); }
    ~Zone() { set(nullptr); }
    static void set(const char* name) {
        if (name == nullptr)
            ::unsetenv("TZ");
        else
            ::setenv("TZ", name, 1);
        ::tzset();
    }
};

bool open_at(const std::vector<std::string>& windows, const char* utc) {
    return BackupWindows(windows).contains(parse_utc(utc));
}

}  // namespace

TEST_CASE("backup windows: the end is excluded, midnight is no border, more than one counts") {
    const Zone zone("UTC");
    const std::vector<std::string> night{"01:00-05:00"};
    CHECK_FALSE(open_at(night, "2026-11-22T00:59:59Z"));
    CHECK(open_at(night, "2026-11-22T01:00:00Z"));
    CHECK(open_at(night, "2026-11-22T04:59:59Z"));
    CHECK_FALSE(open_at(night, "2026-11-22T05:00:00Z"));
    const std::vector<std::string> across{"22:00-04:00", "12:00-12:30"};
    for (const char* in : {"2026-11-22T22:00:00Z", "2026-11-22T23:59:00Z", "2026-11-22T00:00:00Z",
                           "2026-11-22T03:59:00Z", "2026-11-22T12:29:00Z"})
        CHECK(open_at(across, in));
    for (const char* out : {"2026-11-22T21:59:00Z", "2026-11-22T04:00:00Z", "2026-11-22T12:30:00Z"})
        CHECK_FALSE(open_at(across, out));
    CHECK(open_at({}, "2026-11-22T14:00:00Z"));
    CHECK(open_at({"20:00-24:00"}, "2026-11-22T23:59:59Z"));
    CHECK_FALSE(open_at({"20:00-24:00"}, "2026-11-22T00:00:00Z"));
    CHECK(BackupWindows(across).text() == "22:00-04:00, 12:00-12:30");
}

TEST_CASE("backup windows: local time, also when summer time begins and ends") {
    const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    CHECK(open_at({"01:00-05:00"}, "2026-11-22T00:00:00Z"));
    CHECK(open_at({"01:00-05:00"}, "2026-07-22T23:00:00Z"));
    CHECK_FALSE(open_at({"01:00-05:00"}, "2026-11-21T23:00:00Z"));
    // 2026-03-29 goes from 02:00 to 03:00: that window does not come
    for (const char* time : {"2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"})
        CHECK_FALSE(open_at({"02:00-03:00"}, time));
    // 2026-10-25 has 02:30 twice
    for (const char* time : {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"})
        CHECK(open_at({"02:00-03:00"}, time));
}

TEST_CASE("backup windows: when the next one begins") {
    const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    const auto next = [](const std::vector<std::string>& windows, const char* utc) {
        const auto time = BackupWindows(windows).next(parse_utc(utc));
        return time ? format_utc(*time) : "none";
    };
    CHECK(next({"01:00-05:00"}, "2026-11-22T14:03:20Z") == "2026-11-23T00:00:00Z");
    CHECK(next({"12:00-12:30", "22:00-04:00"}, "2026-11-22T14:03:20Z") == "2026-11-22T21:00:00Z");
    CHECK(next({"01:00-05:00"}, "2026-11-22T00:10:20Z") == "2026-11-22T00:11:00Z");
    // 2026-03-29 has no 02:00 to 03:00
    CHECK(next({"02:00-03:00"}, "2026-03-28T02:00:00Z") == "2026-03-30T00:00:00Z");
}

TEST_CASE("backup windows: what is none") {
    for (const char* bad : {"", "1:00-5:00", "01:00", "01:00-01:00", "24:00-01:00", "01:60-02:00",
                            "25:00-26:00", "01:00-24:01", "01:00 05:00", "aa:bb-cc:dd", "01:00-05:00 "})
        CHECK_THROWS_AS(BackupWindows({bad}), Error);
    const Zone zone("UTC");
    Policy policy;
    CHECK_NOTHROW(policy.require_window(parse_utc("2026-11-22T14:03:00Z")));
    policy.windows = BackupWindows({"01:00-05:00"});
    try {
        policy.require_window(parse_utc("2026-11-22T14:03:00Z"));
        FAIL("was allowed");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::refused);
        CHECK(error.text().starts_with("window: "));  // the stage of the job's problem
        CHECK(error.text().find("it is 14:03") != std::string::npos);
    }
}
