#include "common/term/table.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::term;

TEST_CASE("columns line up by display width, right-aligned numbers, no trailing spaces") {
    Table table({{"NAME"}, {"SIZE", Align::right}, {"NOTE"}});
    table.add({"M\xC3\xBCnchen", "7", ""});
    table.add({"x", "1234", "fine"});
    std::ostringstream out;
    table.print(out, "none");
    CHECK(out.str() ==
          "NAME     SIZE  NOTE\n"
          "M\xC3\xBCnchen     7\n"
          "x        1234  fine\n");
}

TEST_CASE("foreign text cannot move the cursor or start a new row") {
    Table table({{"NAME"}});
    table.add({"evil\x1b[2J\nNAME2"});
    std::ostringstream out;
    table.print(out, "none");
    CHECK(out.str() == "NAME\nevil\\x1b[2J\\x0aNAME2\n");
    std::ostringstream fields;
    print_fields(fields, {{"server", "a\rb"}, {"id", "1"}});
    CHECK(fields.str() == "server: a\\x0db\nid:     1\n");
}

TEST_CASE("an empty table says so, a wrong row is refused") {
    Table table({{"A"}, {"B"}});
    std::ostringstream out;
    table.print(out, "no servers yet");
    CHECK(out.str() == "no servers yet\n");
    CHECK_THROWS_AS(table.add({"only one"}), Error);
}
