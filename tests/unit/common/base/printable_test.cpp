#include "common/base/printable.hpp"

#include <catch2/catch.hpp>

using namespace strongroom;

TEST_CASE("printable text keeps UTF-8 and shows control characters") {
    CHECK(printable("M\xC3\xBCnchen\n") == "M\xC3\xBCnchen\n");
    CHECK(printable("a\x1B[31mred") == "a\\x1b[31mred");
    CHECK(printable("\xC2\x9B") == "\\xc2\\x9b");           // C1 control
    CHECK(printable("\xFF\xC0\xAF") == "\\xff\\xc0\\xaf");  // invalid and overlong
    CHECK(printable("\xE2\x80\xAE") == "\\xe2\\x80\\xae");  // right-to-left override
    CHECK(printable_line("one\ntwo") == "one\\x0atwo");
    CHECK(printable_line("abcdef", 3) == "abc...");
    CHECK(is_valid_utf8("\xF0\x9F\x94\x92"));
    CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));  // surrogate
    CHECK_FALSE(is_valid_utf8("\xE2\x82"));      // truncated
}
