#include "proto/registration_code.hpp"

#include <catch2/catch.hpp>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::proto;

TEST_CASE("a registration code is read as people type it, and has one hash") {
    const std::string code = make_registration_code();
    CHECK(code.size() == 23);
    CHECK(code != make_registration_code());
    const std::string plain = normalised_registration_code(code);
    CHECK(plain.size() == 20);
    CHECK(registration_code_hash(code) == sha256_hex(plain));
    CHECK(normalised_registration_code("abcde-fghij klmno-pqrs2") == "ABCDEFGHIJKLMNOPQRS2");
    CHECK(registration_code_hash("abcde-fghij klmno-pqrs2") == sha256_hex("ABCDEFGHIJKLMNOPQRS2"));
}

TEST_CASE("what is no registration code is refused") {
    for (const char* text :
         {"", "ABCDE", "ABCDE-FGHIJ-KLMNO-PQRS1", "ABCDE-FGHIJ-KLMNO-PQRST-U", "ABCDE-FGHIJ-KLMNO-PQRS\n"}) {
        INFO(text);
        CHECK_THROWS_AS(normalised_registration_code(text), Error);
    }
}
