#include "common/config/quantity.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::config;

TEST_CASE("rates and times are read as people write them") {
    CHECK(parse_rate("50MiB/s") == 50 << 20);
    CHECK(parse_rate("50M") == 50 << 20);
    CHECK(parse_rate("1.5 GB/s") == 1'500'000'000);
    CHECK(parse_rate("800kB/s") == 800'000);
    CHECK(parse_rate("65536") == 65536);
    CHECK(parse_rate("off") == 0);
    CHECK(parse_rate("0") == 0);
    CHECK(parse_duration("90") == 90);
    CHECK(parse_duration("90s") == 90);
    CHECK(parse_duration("10min") == 600);
    CHECK(parse_duration("2h") == 7200);
    CHECK(parse_duration("30d") == 30 * 86400);
}

TEST_CASE("what is no rate or no time is refused, and the text says what would be") {
    for (const char* text : {"", "fast", "-5MiB/s", "50MiB/min", "5 5", "1e99", "nan", "inf", "MiB", "10XB",
                             "9999999999GiB/s", "12"})
        CHECK_THROWS_WITH(parse_rate(text), Catch::Contains("rate"));
    for (const char* text : {"", "soon", "-1s", "10 parsecs", "1y"})
        CHECK_THROWS_WITH(parse_duration(text), Catch::Contains("a time like 90s, 10min, 2h or 30d"));
}
