#include "common/base/cron.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "common/base/error.hpp"

using namespace strongroom;

namespace {

std::string next(const char* expression, const char* after) {
    return format_utc(Cron::parse(expression).next_after(parse_utc(after)));
}

std::string refusal(const char* expression) {
    try {
        Cron::parse(expression);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        CHECK_FALSE(error.hint().empty());
        return error.text();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("cron: the next slot") {
    struct Row {
        const char* expression;
        const char* after;
        const char* expected;
    };
    const std::vector<Row> rows{
        {"30 2 * * *", "2026-11-22T01:37:00Z", "2026-11-22T02:30:00Z"},
        {"30 2 * * *", "2026-11-22T02:30:00Z", "2026-11-23T02:30:00Z"},  // strictly after
        {"30 2 * * *", "2026-11-22T02:29:59Z", "2026-11-22T02:30:00Z"},
        {"* * * * *", "2026-11-22T23:59:30Z", "2026-11-23T00:00:00Z"},
        {"*/15 8-17 * * MON-FRI", "2026-11-20T17:45:00Z", "2026-11-23T08:00:00Z"},  // Friday -> Monday
        {"5-20/7 * * * *", "2026-11-22T00:05:00Z", "2026-11-22T00:12:00Z"},
        {"5-20/7 * * * *", "2026-11-22T00:19:00Z", "2026-11-22T01:05:00Z"},
        {"0 0 1 jan *", "2026-11-22T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"0 0 31 * *", "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z"},
        {"0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},      // 2100 is no leap year
        {"0 3 1,15 * SUN", "2026-11-22T03:00:00Z", "2026-11-29T03:00:00Z"},  // either day field
        {"0 3 1,15 * SUN", "2026-11-29T03:00:00Z", "2026-12-01T03:00:00Z"},
        {"0 3 */2 * SUN", "2026-11-22T03:00:00Z", "2026-11-29T03:00:00Z"},  // a star: both must match
        {"0 3 */2 * SUN", "2026-11-29T03:00:00Z", "2026-12-13T03:00:00Z"},
        {"0 0 * * 7", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"},  // 7 is Sunday
        {"0 0 * * FRI-SUN", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"},
        {"0 0 * * FRI-SUN", "2026-11-29T00:00:00Z", "2026-12-04T00:00:00Z"},
        {"0,30 0 * * *", "2026-12-31T00:30:00Z", "2027-01-01T00:00:00Z"},
        {"every 90d", "2026-11-22T00:00:00Z",
         "2026-12-03T00:00:00Z"},  // 20,779 days since 1970 = 230 x 90 + 79
        {"every 90d", "2026-12-03T00:00:00Z", "2027-03-03T00:00:00Z"},  // strictly after
        {"every 90d", "2027-03-02T23:59:59Z", "2027-03-03T00:00:00Z"},
        {"every 6h", "2026-11-22T05:59:00Z", "2026-11-22T06:00:00Z"},
        {" every  5m ", "2026-11-22T05:57:30Z", "2026-11-22T06:00:00Z"},
        {"every 1m", "2026-11-22T05:57:30Z", "2026-11-22T05:58:00Z"},
        {"  0\t0  * *   *  ", "2026-12-31T00:30:00Z", "2027-01-01T00:00:00Z"},
    };
    for (const auto& row : rows) {
        INFO(row.expression << " after " << row.after);
        CHECK(next(row.expression, row.after) == row.expected);
    }
}

TEST_CASE("cron: every next slot matches, and nothing between matches") {
    for (const char* expression : {"*/7 3,9 * 2-5 *", "0 */6 13 * FRI", "59 23 28-31 * *", "every 7h"}) {
        const Cron cron = Cron::parse(expression);
        const UtcTime start = parse_utc("2027-02-27T20:00:00Z");
        const UtcTime found = cron.next_after(start);
        CHECK(cron.matches(found));
        for (UtcTime time = start + std::chrono::minutes(1); time < found; time += std::chrono::minutes(1))
            if (cron.matches(time)) FAIL(expression << " skipped " << format_utc(time));
    }
}

TEST_CASE("cron: errors name the field") {
    CHECK(refusal("60 * * * *").find("\"minute\" must be between 0 and 59") != std::string::npos);
    CHECK(refusal("* 24 * * *").find("\"hour\"") != std::string::npos);
    CHECK(refusal("* * 0 * *").find("\"day of month\"") != std::string::npos);
    CHECK(refusal("* * * 13 *").find("\"month\"") != std::string::npos);
    CHECK(refusal("* * * * 8").find("\"day of week\"") != std::string::npos);
    CHECK(refusal("* * * FOO *").find("\"month\" is not understood") != std::string::npos);
    CHECK(refusal("20-10 * * * *").find("backwards") != std::string::npos);
    CHECK(refusal("*/0 * * * *").find("step of zero") != std::string::npos);
    CHECK(refusal("5/10 * * * *").find("step without a range") != std::string::npos);
    CHECK(refusal("1,,2 * * * *").find("\"minute\" is not understood") != std::string::npos);
    CHECK(refusal("-1 * * * *").find("\"minute\"") != std::string::npos);
    CHECK(refusal("* * * *").find("five fields") != std::string::npos);
    CHECK(refusal("* * * * * *").find("this has 6") != std::string::npos);
    CHECK(refusal("").find("this has 0") != std::string::npos);
    CHECK(refusal("0 0 30 2 *").find("\"day of month\" names a day that its months do not have") !=
          std::string::npos);
    CHECK(refusal("0 0 31 4,6 *").find("day of month") != std::string::npos);
    for (const char* interval : {"every 0d", "every 90", "every d", "every -1d", "every 90w", "every 3661d",
                                 "every 999999m", "every 1.5h", "every 90D"})
        CHECK(refusal(interval).starts_with("not an interval"));
    CHECK(refusal("every 90 d").find("this has 3") != std::string::npos);
    CHECK(refusal("every").find("this has 1") != std::string::npos);
    CHECK(refusal("\x1b[31m * * * *").find('\x1b') == std::string::npos);
}

TEST_CASE("cron: the splay offset follows from the schedule id") {
    CHECK(splay_offset("a", 0).count() == 0);
    CHECK(splay_offset("a", 1).count() == 0);
    // SHA-256("abc") starts with ba7816bf8f01cfea = 13436514500253700074
    CHECK(splay_offset("abc", 3600).count() == static_cast<std::int64_t>(13436514500253700074ULL % 3600));
    CHECK(splay_offset("abc", 3600) == splay_offset("abc", 3600));
    CHECK(splay_offset("abc", 3600) != splay_offset("abd", 3600));
}
