#include "common/restore/target_point.hpp"

#include <catch2/catch.hpp>

#include "tests/support/error_of.hpp"

namespace strongroom::restore {
namespace {

using test::error_of;

TEST_CASE("target point: a time is UTC, or of the zone behind it") {
    const auto utc = [](const char* text) { return format_utc(parse_until(text).time); };
    CHECK(utc("2026-11-22 01:37:00") == "2026-11-22T01:37:00Z");
    CHECK(utc("2026-11-22T01:37:00") == "2026-11-22T01:37:00Z");
    CHECK(utc("2026-11-22T01:37:00Z") == "2026-11-22T01:37:00Z");
    CHECK(utc("2026-11-22 01:37:00Z") == "2026-11-22T01:37:00Z");
    CHECK(utc("2026-11-22T01:37:00+02:00") == "2026-11-21T23:37:00Z");
    CHECK(utc("2026-11-22 01:37:00 -05:30") == "2026-11-22T07:07:00Z");
    CHECK(parse_until("latest").kind == TargetPoint::Kind::latest);
    CHECK_THAT(text_of(parse_until("2026-11-22 01:37:00")), Catch::StartsWith("2026-11-22T01:37:00Z"));
    for (const char* bad :
         {"", "now", "2026-11-22", "2026-11-22 01:37", "2026-11-22 01:37:60", "2026-02-30 01:37:00",
          "2026-11-22x01:37:00", "2026-11-22 01:37:00 CET", "2026-11-22 01:37:00+2:00",
          "2026-11-22 01:37:00+0200", "2026-11-22 01:37:00+15:00", "2026-11-22 01:37:00+02:60",
          "2026-11-22 01:37:00Zx", " 2026-11-22 01:37:00", "2026-11-22 -1:37:00"})
        CHECK(error_of([&] { parse_until(bad); }).kind() == ErrorKind::usage);
    for (const char* fraction :
         {"2026-11-22 01:37:00.5", "2026-11-22T01:37:00.000Z", "2026-11-22T01:37:00,25"})
        CHECK_THAT(error_of([&] { parse_until(fraction); }).text(), Catch::Contains("fraction of a second"));
}

TEST_CASE("target point: a place in the binary log, and its order") {
    const auto point = parse_until_position("my.bin.000042:4711");
    CHECK(point.at.file == "my.bin.000042");
    CHECK(point.at.offset == 4711);
    CHECK(text_of(point) == "my.bin.000042:4711");
    for (const char* bad : {"", ":", "4711", "binlog.000042", "binlog.000042:", "binlog.000042:3",
                            "binlog.000042:-4", "binlog.000042:4x", "binlog:4711", "../binlog.000042:4711",
                            "a/b.000042:4711", "binlog.000042:99999999999999999999"})
        CHECK(error_of([&] { parse_until_position(bad); }).kind() == ErrorKind::usage);
    CHECK(compare({"b.000009", 500}, {"b.000010", 4}) == -1);
    CHECK(compare({"b.999999", 500}, {"b.1000000", 4}) == -1);
    CHECK(compare({"b.000010", 5}, {"b.000010", 5}) == 0);
    CHECK(compare({"b.000010", 6}, {"b.000010", 5}) == 1);
    CHECK_FALSE(same_name("a.000001", "b.000001"));
    CHECK(error_of([&] { compare({"a.000001", 4}, {"b.000001", 4}); }).kind() == ErrorKind::usage);
    CHECK(parse_until_gtid("0-1-42").gtid.text() == "0-1-42");
    CHECK(error_of([&] { parse_until_gtid("0-1-42,1-1-1"); }).kind() == ErrorKind::usage);
}

}  // namespace
}  // namespace strongroom::restore
