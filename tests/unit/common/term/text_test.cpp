#include "common/term/text.hpp"

#include <catch2/catch.hpp>

using namespace strongroom::term;

TEST_CASE("width counts columns, not bytes") {
    CHECK(display_width("") == 0);
    CHECK(display_width("abc") == 3);
    CHECK(display_width("M\xC3\xBCnchen") == 7);
    CHECK(display_width("\xE6\x97\xA5\xE6\x9C\xAC") == 4);  // two wide characters
    CHECK(display_width("e\xCC\x81") == 1);                 // combining accent
    CHECK(display_width("\xFF\xFE") == 2);                  // not UTF-8
    CHECK(pad_right("\xC3\xBC", 3) == "\xC3\xBC  ");
    CHECK(pad_left("12", 4) == "  12");
    CHECK(pad_left("12345", 4) == "12345");
}

TEST_CASE("sizes read with three significant digits") {
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1024) == "1 KiB");
    CHECK(format_bytes(1536) == "1.5 KiB");
    CHECK(format_bytes(32LL << 20) == "32 MiB");
    CHECK(format_bytes(1'159'641'169) == "1.08 GiB");
    CHECK(format_bytes((1LL << 20) - 1) == "1 MiB");  // never "1024 KiB"
    CHECK(format_bytes(100LL << 30) == "100 GiB");
}

TEST_CASE("seconds read as a clock") {
    CHECK(format_seconds(7) == "0:07");
    CHECK(format_seconds(725) == "12:05");
    CHECK(format_seconds(10869) == "3:01:09");
    CHECK(format_work(25 << 20, 25'000) == "25 MiB in 0:25, 1 MiB/s");
    CHECK(format_work(0, 0) == "0 B in 0:00, 0 B/s");
}
